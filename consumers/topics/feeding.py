"""Puts events on the clicks topic at a chosen pace."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from stream.clock import Clock
from stream.events.click import EventColumns
from stream.events.click_encoding import outgoing_clicks
from stream.log.interface import Writer

_TICK_SECONDS: Final = 0.05
_MOST_RECORDS: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and with which event times.

    Parameters
    ----------
    events_per_second
        None: as fast as the log takes them.
    restamp
        Give each event the time at which it is sent instead of its own.
    head_start
        So many events go at once before the pace begins.
    """

    events_per_second: float | None = None
    restamp: bool = False
    head_start: int = 0


def feed(
    batches: Iterable[EventColumns],
    writer: Writer,
    pace: Pace,
    clock: Clock,
    *,
    stop: threading.Event | None = None,
    sent: Callable[[int], None] = lambda _count: None,
) -> int:
    """Append events until there are no more, or `stop` is set; return how many went.

    Parameters
    ----------
    batches
        The events, in the order in which they go.
    writer
        Of the clicks topic.
    pace
        How fast, and with which times.
    clock
        Paces and stamps.
    stop
        Ends the feed early.
    sent
        Told the number of events so far, after each append.
    """
    begun = clock.monotonic()
    count = 0
    for events in batches:
        start = 0
        while start < len(events):
            if stop is not None and stop.is_set():
                return count
            room = _MOST_RECORDS
            if pace.events_per_second is not None:
                allowed = pace.head_start + pace.events_per_second * (clock.monotonic() - begun)
                room = min(room, int(allowed) - count)
                if room <= 0:
                    clock.sleep(_TICK_SECONDS)
                    continue
            end = min(len(events), start + room)
            now = clock.time() if pace.restamp else None
            writer.append(outgoing_clicks(_rows(events, start, end, now)))
            count += end - start
            start = end
            sent(count)
    return count


def _rows(events: EventColumns, start: int, stop: int, now: float | None) -> EventColumns:
    rows = slice(start, stop)
    times = events.times[rows]
    if now is not None:
        # A microsecond apart, so that their order is known from the times alone.
        times = np.array([now + 1e-6 * position for position in range(stop - start)])
    return EventColumns(
        user_ids=events.user_ids[rows],
        item_ids=events.item_ids[rows],
        times=times,
        events=events.events[rows],
        event_ids=events.event_ids[rows],
    )
