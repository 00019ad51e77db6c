"""What the service looks like: rates, lags, versions, and what needs somebody."""

from collections.abc import Iterator, Mapping
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.roles.serve.questions import NO_VIEW
from consumers.roles.serve.served_artifacts import ServedArtifacts
from consumers.roles.serve.service_answers import (
    Alarm,
    ModelFacts,
    Models,
    RoleStatus,
    Status,
    TopicStatus,
)
from consumers.roles.serve.service_history import ServiceHistory
from consumers.roles.serve.user_store import KINDS, UserStore
from consumers.roles.serve.user_topics import UserTopics
from consumers.runtime.rate import Rate
from consumers.runtime.role_figures import Figures, Scraper
from stream.clock import Clock
from stream.log.interface import Log

VIEW_OLD_SECONDS: Final = 60.0
LAG_HIGH_RECORDS: Final = 10_000
SCRAPE_SECONDS: Final = 5.0
OTHER_ROLES: Final = ("ingest", "trainer", "publisher")


class StatusBoard:
    """Keeps the answer to "how is it?" up to date, so that asking costs nothing.

    Parameters
    ----------
    config, log, clock
        Of the role.
    artifacts, store, topics
        What it serves from.

    Attributes
    ----------
    history
        What was seen over time.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        artifacts: ServedArtifacts,
        store: UserStore,
        topics: UserTopics,
    ) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._artifacts = artifacts
        self._store = store
        self._topics = topics
        section = config.log
        self._readers = {
            section.clicks: config.ingest.group,
            section.sequences: config.publisher.group,
            section.recommendations: None,
        }
        self._rates: dict[str, Rate] = {}
        self._first: dict[str, int] = {}
        self._answered: frozenset[str] = frozenset()
        self._scraper: Scraper | None = None
        if config.serve.scrape_roles:
            ports = {role: getattr(config.http, f"{role}_port") for role in OTHER_ROLES}
            self._scraper = Scraper(config.http.host, ports, SCRAPE_SECONDS)
        self.history = ServiceHistory(SCRAPE_SECONDS)
        self._status = self._look()

    def status(self) -> Status:
        """Return what was seen last."""
        return self._status

    def look(self) -> None:
        """Look at everything once more.

        Raises
        ------
        LogUnavailableError
            The log cannot be asked; what was seen last stays.
        """
        self._status = self._look()
        self.history.note(self._status, self.models().models)

    def models(self) -> Models:
        """Return the kept models."""
        facts = self._artifacts.facts
        return Models(
            serving=facts.model_version,
            models=[
                ModelFacts(
                    version=int(manifest["version"]),
                    created_at=float(manifest["created_at"]),
                    bytes=int(manifest["bytes"]),
                    serving=manifest["version"] == facts.model_version,
                    restored_from=manifest.get("restored_from"),
                    clicks_learned=manifest.get("clicks_learned"),
                    quality=_numbers(manifest.get("quality", {})),
                )
                for manifest in facts.models
            ],
        )

    def close(self) -> None:
        """Stop asking the other roles."""
        if self._scraper is not None:
            self._scraper.close()

    def _look(self) -> Status:
        facts = self._artifacts.facts
        topics = {topic: self._topic(topic, group) for topic, group in self._readers.items()}
        roles = None if self._scraper is None else self._scraper.figures
        now = self._clock.time()
        return Status(
            generated_at=now,
            ready=facts.items > 0 and self._topics.caught_up(),
            model_version=facts.model_version,
            model_created_at=facts.model_created_at or None,
            view_number=facts.view_number,
            view_created_at=facts.view_created_at or None,
            items=facts.items,
            users=self._store.users("sequences"),
            store_bytes=self._store.nbytes(),
            newest_list_at=self._topics.newest_list_at,
            newest_click_at=facts.reference_time or None,
            topics=topics,
            roles=None if roles is None else _role_status(roles),
            alarms=list(self._alarms(now, topics, roles)),
        )

    def _topic(self, topic: str, group: str | None) -> TopicStatus:
        ends = self._log.end_offsets(topic)
        total = sum(ends.values())
        first = self._first.setdefault(topic, total)
        rate = self._rates.setdefault(topic, Rate(self._clock))
        lag = None
        if group is None:
            positions = self._topics.positions("lists")
            lag = sum(max(0, end - positions.get(p, end)) for p, end in ends.items())
        elif saved := self._log.saved_positions(group, topic):
            lag = sum(max(0, end - saved.get(p, 0)) for p, end in ends.items())
        return TopicStatus(records=total, per_second=rate.update(total - first), lag=lag)

    def _alarms(
        self, now: float, topics: Mapping[str, TopicStatus], roles: Figures | None
    ) -> Iterator[Alarm]:
        facts, section = self._artifacts.facts, self._config.log
        if not facts.items:
            yield Alarm(name="no-view", about="", text=f"{NO_VIEW}; does it run?")
        elif now - facts.view_created_at > VIEW_OLD_SECONDS:
            age = now - facts.view_created_at
            text = f"the counters are {age:.0f} s old: does the trainer run, and keep up?"
            yield Alarm(name="view-old", about="", text=text)
        for topic, who in (
            (section.clicks, "ingest"),
            (section.sequences, "the publisher"),
            (section.recommendations, "this role"),
        ):
            lag = topics[topic].lag
            if lag is not None and lag > LAG_HIGH_RECORDS:
                text = f"{who} has {lag} records of {topic} still to read"
                yield Alarm(name="lag", about=topic, text=text)
        for kind in KINDS:
            standing = self._topics.followed[kind].stalled(self._config.process.stalled_seconds)
            if standing:
                where = ", ".join(map(str, standing))
                topic = self._topics.topics[kind]
                text = f"{topic} stands still here, partition {where}"
                yield Alarm(name="stalled", about=topic, text=text)
        if roles is not None:
            self._answered |= roles.answering
            for role in sorted(self._answered - roles.answering):
                text = f"{role} does not answer any more"
                yield Alarm(name="role-silent", about=role, text=text)


def _role_status(figures: Figures) -> RoleStatus:
    return RoleStatus(
        answering=sorted(figures.answering),
        clicks_accepted=figures.clicks,
        lists_sent=figures.lists,
        drift_alarms=figures.alarms,
        clicks_learned=figures.learned,
        clicks_tested=figures.scored,
        hit_rate_at_10=dict(figures.hit_rate),
        ndcg_at_10=dict(figures.ndcg),
        served_hit_rate=figures.served_hit_rate,
        click_to_list_seconds_p50=figures.delay_median,
        click_to_list_seconds_p99=figures.delay_99,
    )


def _numbers(quality: Mapping[str, object]) -> dict[str, float]:
    """Return those entries of a manifest's quality that are finite numbers."""
    found = {name: value for name, value in quality.items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in found.items() if abs(value) < float("inf")}
