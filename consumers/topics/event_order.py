"""A check that events come in an order in which state accepts them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.errors import EventFileError
from stream.events.clicks.event_columns import EventColumns

LATE_SECONDS: Final = 3600.0
"""Logs that are gathered from several machines are out of order by less."""

_NEWEST_FIRST: Final = 0.75
"""Share of steps back in time, of all steps, from which on a file counts as newest first."""
_DISORDERED: Final = 1 / 3
"""As above, of the steps between one user's clicks; half of them go back in random order."""


class EventOrder:
    """Checks batches of events before they are sent, and counts those that come late.

    State puts a late click in its place as long as that lies among the newest clicks of its user;
    an older one changes nothing. So a file that is newest first would lose most of its clicks.

    Parameters
    ----------
    path
        The file, for messages.
    buffer_length
        How many clicks of a user state keeps.

    Attributes
    ----------
    late
        How many events lay far behind events before them.
    kept
        How many clicks of a user state keeps; so many events may come in any order.
    """

    def __init__(self, path: str, buffer_length: int) -> None:
        self.late = 0
        self.kept = buffer_length
        self._path = path
        self._seen = 0
        self._newest = -np.inf

    def judged(self, batches: Iterable[EventColumns]) -> Iterator[EventColumns]:
        """Yield the batches, unless the first that hold enough to tell go back in time.

        Raises
        ------
        EventFileError
            State would refuse clicks of the file for their age; nothing was yielded. Or what
            `batches` raise, behind the events before it.
        """
        remaining = iter(batches)
        beginning: list[EventColumns] = []
        fault = _gather(remaining, beginning, more_than=self.kept)
        self._refuse_backward(beginning)
        yield from beginning
        if fault is not None:
            raise fault
        yield from remaining

    def counted(self, batches: Iterable[EventColumns]) -> Iterator[EventColumns]:
        """Yield the batches; count which of their events are late."""
        for events in batches:
            self.count(events)
            yield events

    def _refuse_backward(self, beginning: Sequence[EventColumns]) -> None:
        if self._goes_back(beginning):
            raise EventFileError(
                self._path,
                "times go back down the file (is it newest first?), and a click that is older than "
                f"the newest {self.kept} of its user changes nothing. Give "
                "--sort to send the events in order of time; gsr bootstrap sorts by itself",
            )

    def count(self, events: EventColumns) -> None:
        """Count which of `events` are late."""
        before = np.maximum.accumulate(np.concatenate([[self._newest], events.times]))
        late = events.times < before[:-1] - LATE_SECONDS
        if self._goes_back([events]):
            late |= _steps_back([events])[0]
        self.late += int(late.sum())
        self.look_at(events)

    def look_at(self, events: EventColumns) -> None:
        """Remember what came before the events that are counted."""
        self._seen += len(events)
        self._newest = max(self._newest, float(events.times.max()))

    def warning(self) -> str | None:
        """Return what to say of the late events; None: they are none, or cost nothing."""
        if not self.late or self._seen <= self.kept:
            return None
        events = "1 event" if self.late == 1 else f"{self.late:,} events"
        return (
            f"{events} came after newer ones. Those that are older than the newest {self.kept} "
            "clicks of their user change nothing (gsr_ingest_clicks_total, too_old). For all of "
            "them to count, send the whole file with --sort to a fresh log; never add --sort to a "
            "command with --skip, which would then leave out other events"
        )

    def _goes_back(self, batches: Sequence[EventColumns]) -> bool:
        """Tell whether more of the events go back in time than a log's usual disorder."""
        if sum(map(len, batches)) <= self.kept:  # state takes in so few in any order
            return False
        steps = np.diff(np.concatenate([events.times for events in batches]))
        if (steps < 0).sum() > _NEWEST_FIRST * max(1, (steps != 0).sum()):
            return True
        back, pairs = _steps_back(batches)
        return bool(back.sum() > _DISORDERED * max(self.kept, pairs))


def _gather(
    batches: Iterator[EventColumns], gathered: list[EventColumns], *, more_than: int
) -> EventFileError | None:
    """Add batches until they hold more than so many events; return what ended them early."""
    try:
        while sum(map(len, gathered)) <= more_than and (events := next(batches, None)) is not None:
            gathered.append(events)
    except EventFileError as error:
        return error
    return None


def _steps_back(batches: Sequence[EventColumns]) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which events are older than their user's event before, and of how many it is known."""
    latest: dict[str, float] = {}
    back, pairs = np.zeros(sum(map(len, batches)), dtype=np.bool_), 0
    user_ids = chain.from_iterable(events.user_ids for events in batches)
    times = chain.from_iterable(events.times.tolist() for events in batches)
    for row, (user_id, time) in enumerate(zip(user_ids, times, strict=True)):
        before = latest.get(user_id)
        if before is not None:
            pairs += 1
            back[row] = time < before
        latest[user_id] = time
    return back, pairs
