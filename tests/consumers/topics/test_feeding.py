"""Events go to the topic at the chosen pace, with the chosen times."""

import json
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from consumers.errors import ConfigError
from consumers.topics.feeding import Pace, feed, sliced
from stream.clock import ManualClock
from stream.events.clicks.event_columns import EventColumns
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import TopicSpec


def events(count: int, start: int = 0) -> EventColumns:
    numbers = range(start, start + count)
    return EventColumns(
        [f"u{number}" for number in numbers],
        [f"i{number}" for number in numbers],
        np.arange(start, start + count, dtype=np.float64),
        ["view"] * count,
        [f"e{number}" for number in numbers],
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(5000.0)


@pytest.fixture
def log(clock: ManualClock) -> MemoryLog:
    log = MemoryLog(clock)
    log.create_topic(TopicSpec(name="clicks"))
    return log


def sent(log: MemoryLog) -> list[dict[str, object]]:
    batches = log.reader("clicks").poll(100_000, 0.0)
    return [json.loads(value or b"") for batch in batches for value in batch.values]


def test_events_keep_their_order_and_times(log: MemoryLog, clock: ManualClock) -> None:
    """As fast as possible, nothing changed."""
    count = feed([events(3), events(2, start=3)], log.writer("clicks"), Pace(), clock)
    assert count == 5
    assert [record["timestamp"] for record in sent(log)] == [0, 1, 2, 3, 4]
    assert sent(log)[4] == {
        "user_id": "u4",
        "item_id": "i4",
        "timestamp": 4,
        "event": "view",
        "event_id": "e4",
    }
    assert clock.time() == 5000.0


def test_a_rate_takes_its_time(log: MemoryLog, clock: ManualClock) -> None:
    """100 events at 10 per second are 10 seconds, of which a head start takes none."""
    feed([events(100)], log.writer("clicks"), Pace(events_per_second=10.0), clock)
    assert clock.time() == pytest.approx(5010.0, abs=0.2)
    pace = Pace(events_per_second=10.0, head_start=50)
    feed([events(100)], log.writer("clicks"), pace, clock)
    assert clock.time() == pytest.approx(5015.0, abs=0.4)


def test_restamped_events_carry_the_time_of_sending(log: MemoryLog, clock: ManualClock) -> None:
    """Times grow within a batch, so that their order is known."""
    feed([events(10)], log.writer("clicks"), Pace(restamp=True), clock)
    times = [float(str(record["timestamp"])) for record in sent(log)]
    assert times == sorted(set(times))
    assert times[0] == 5000.0
    assert times[-1] < 5000.1


def test_it_can_be_stopped(log: MemoryLog, clock: ManualClock) -> None:
    """Between two appends it looks whether to go on."""
    stop = threading.Event()
    count = feed(
        [events(100)],
        log.writer("clicks"),
        Pace(events_per_second=10.0),
        clock,
        stop=stop,
        sent=lambda count: stop.set() if count >= 20 else None,
    )
    assert 20 <= count < 100
    assert len(sent(log)) == count


@pytest.mark.parametrize(
    ("skip", "limit", "left"),
    [(0, None, range(10)), (4, None, range(4, 10)), (3, 2, range(3, 5)), (5, 99, range(5, 10))],
)
def test_events_are_left_out_at_both_ends(skip: int, limit: int | None, left: range) -> None:
    """Wherever the batches end; what was skipped is shown, in order."""
    passed: list[float] = []
    parts = sliced(
        [events(4), events(3, 4), events(3, 7)], skip, limit, lambda e: passed.extend(e.times)
    )
    assert [time for part in parts for time in part.times] == list(left)
    assert passed == list(range(skip))


def test_nothing_is_asked_for_behind_the_limit() -> None:
    """The next batch may be long in coming."""

    def endless() -> Iterator[EventColumns]:
        yield events(4)
        raise AssertionError

    assert sum(map(len, sliced(endless(), 1, 3))) == 3


def test_more_to_skip_than_there_is_is_refused() -> None:
    """It says how many there are."""
    with pytest.raises(ConfigError, match="there are only 4 events"):
        list(sliced([events(4)], 5, None))
