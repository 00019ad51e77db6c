"""Puts events on the clicks topic at a chosen pace."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from consumers.errors import ConfigError
from stream.clock import Clock
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.clicks.event_columns import EventColumns
from stream.log.interface import Writer

_TICK_SECONDS: Final = 0.05
_MOST_RECORDS: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast events are sent, and with which times.

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
    held: Callable[[], AbstractContextManager[None]] = nullcontext,
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
    held
        Entered for each append and the call of `sent` after it: what must not be torn apart.
    sent
        Told the number of events so far, after each append that was acknowledged.
    """
    stop = stop or threading.Event()
    begun = clock.monotonic()
    count = 0
    for events in batches:
        start = 0
        while start < len(events) and not stop.is_set():
            room = _MOST_RECORDS
            if pace.events_per_second is not None:
                allowed = pace.head_start + pace.events_per_second * (clock.monotonic() - begun)
                room = min(room, int(allowed) - count)
                if room <= 0:
                    clock.sleep(_TICK_SECONDS)
                    continue
            end = min(len(events), start + room)
            part = events.part(start, end)
            if pace.restamp:
                part = _restamped(part, clock.time())
            with held():
                writer.append(outgoing_clicks(part))
                count += len(part)
                sent(count)
            start = end
        if stop.is_set():  # the next batch may be long in coming
            break
    return count


def sliced(
    batches: Iterable[EventColumns],
    skip: int,
    limit: int | None,
    passed: Callable[[EventColumns], None] = lambda _events: None,
) -> Iterator[EventColumns]:
    """Yield the events behind the first `skip`, at most `limit` of them; show the first `passed`.

    Raises
    ------
    ConfigError
        There are fewer than `skip`.
    """
    first, place = skip, 0
    last = sys.maxsize if limit is None else skip + limit
    for events in batches:
        if place < first:
            passed(events.part(0, first - place))
        part = events.part(max(0, first - place), max(0, last - place))
        place += len(events)
        if len(part):
            yield part
        if place >= last:
            return
    if place < first:
        raise ConfigError(f"--skip {skip}: there are only {place:,} events")


def _restamped(events: EventColumns, now: float) -> EventColumns:
    # A microsecond apart, so that their order is known from the times alone.
    return replace(events, times=now + 1e-6 * np.arange(len(events), dtype=np.float64))
