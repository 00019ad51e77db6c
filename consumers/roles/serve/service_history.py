"""What this role has seen over time: events, and how good lists were; bounded."""

from collections.abc import Iterator, Sequence
from typing import Final

from consumers.roles.serve.service_answers import (
    Alarm,
    ModelFacts,
    Quality,
    QualityPoint,
    ServiceEvent,
    ServiceEvents,
    Status,
)

MOST_EVENTS: Final = 200
MOST_POINTS: Final = 600


class ServiceHistory:
    """Notes what changed from one status to the next.

    `note` is called by one thread; any other may ask meanwhile.

    When there are `most_points` points, every other one goes and the time between them doubles:
    so they always span the whole time since the start.

    Parameters
    ----------
    seconds
        From point to point at first.
    most_events, most_points
        How much is kept.
    """

    def __init__(
        self,
        seconds: float,
        most_events: int = MOST_EVENTS,
        most_points: int = MOST_POINTS,
    ) -> None:
        self._most_events = most_events
        self._most_points = most_points
        self._version = 0
        self._drift_alarms: int | None = None
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._events: tuple[ServiceEvent, ...] = ()
        self._quality = Quality(seconds=seconds, points=[])

    def events(self) -> ServiceEvents:
        """Return what happened, newest first."""
        return ServiceEvents(events=list(self._events))

    def quality(self) -> Quality:
        """Return how good lists were."""
        return self._quality

    def note(self, status: Status, models: Sequence[ModelFacts]) -> None:
        """Take in what was seen at a moment.

        Parameters
        ----------
        status
            The service.
        models
            The kept models, oldest first.
        """
        new = [*self._promoted(models), *self._drifted(status), *self._alarmed(status)]
        if new:
            # The sort is stable: what is told later of one moment stays in front.
            events = sorted([*new[::-1], *self._events], key=lambda one: -one.at)
            self._events = tuple(events[: self._most_events])
        self._measure(status)

    def _promoted(self, models: Sequence[ModelFacts]) -> Iterator[ServiceEvent]:
        for model in models:
            if model.version <= self._version:
                continue
            self._version = model.version
            back = model.restored_from
            text = (
                f"model {model.version} was promoted"
                if back is None
                else f"rolled back to model {back}, which serves as {model.version}"
            )
            yield ServiceEvent(
                at=model.created_at,
                kind="promotion" if back is None else "rollback",
                text=text,
                model_version=model.version,
            )

    def _drifted(self, status: Status) -> Iterator[ServiceEvent]:
        if status.roles is None or "trainer" not in status.roles.answering:
            return
        before, now = self._drift_alarms, status.roles.drift_alarms
        self._drift_alarms = now
        if before is not None and now > before:
            text = "behaviour changed: a drift detector gave the alarm"
            yield ServiceEvent(at=status.generated_at, kind="drift", text=text)

    def _alarmed(self, status: Status) -> Iterator[ServiceEvent]:
        now = {(alarm.name, alarm.about): alarm for alarm in status.alarms}
        for key in now.keys() - self._alarms.keys():
            yield ServiceEvent(at=status.generated_at, kind="alarm", text=now[key].text)
        for key in self._alarms.keys() - now.keys():
            text = self._alarms[key].text
            yield ServiceEvent(at=status.generated_at, kind="alarm-over", text=text)
        self._alarms = now

    def _measure(self, status: Status) -> None:
        roles, points = status.roles, self._quality.points
        if roles is None or "trainer" not in roles.answering or not roles.clicks_tested:
            return
        seconds = self._quality.seconds
        if points and status.generated_at - points[-1].at < seconds:
            return
        point = QualityPoint(
            at=status.generated_at,
            model_version=status.model_version,
            clicks_tested=roles.clicks_tested,
            hit_rate_at_10=roles.hit_rate_at_10,
            ndcg_at_10=roles.ndcg_at_10,
            served_hit_rate=roles.served_hit_rate,
        )
        points = [*points, point]
        if len(points) > self._most_points:
            points, seconds = points[::2], 2 * seconds
        self._quality = Quality(seconds=seconds, points=points)
