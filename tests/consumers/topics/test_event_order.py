"""Which orders of events are refused, which are told of, and which are as good as any."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from consumers.topics.event_order import EventOrder
from stream.errors import EventFileError
from stream.events.clicks.event_columns import EventColumns

KEPT = 64
NOW = 1_700_000_000.0


def events(users: Sequence[int], times: Sequence[float]) -> EventColumns:
    count = len(users)
    return EventColumns(
        [f"u{user}" for user in users],
        ["i"] * count,
        np.array(times) + NOW,
        [None] * count,
        [None] * count,
    )


def refused(*beginning: EventColumns) -> bool:
    try:
        assert list(EventOrder("c.csv", KEPT).judged(beginning)) == list(beginning)
    except EventFileError:
        return True
    return False


RNG = np.random.default_rng(5)
MANY = RNG.integers(50, size=2000).tolist()
ORDERS: dict[str, tuple[EventColumns, bool]] = {
    "by time": (events(MANY, list(range(2000))), False),
    "newest first": (events(MANY, list(range(2000, 0, -1))), True),
    "newest first, of one user": (events([1] * 200, list(range(2000, 0, -10))), True),
    "newest first, a click a user": (events(list(range(200)), list(range(200, 0, -1))), True),
    "random": (events(MANY, RNG.permutation(2000).tolist()), True),
    "user by user": (events(sorted(MANY), list(range(40)) * 50), False),
    "user by user, newest first": (events(sorted(MANY), list(range(40, 0, -1)) * 50), True),
    "a little out of order": (
        events(MANY, (np.arange(2000) + RNG.integers(4, size=2000)).tolist()),
        False,
    ),
    "all at once": (events(MANY, [0] * 2000), False),
    "no more than state keeps": (events([1] * KEPT, list(range(KEPT, 0, -1))), False),
}


@pytest.mark.parametrize("name", ORDERS)
def test_what_goes_back_is_refused(name: str) -> None:
    """Where state would lose clicks; an order that costs nothing is no one's business."""
    batch, expected = ORDERS[name]
    assert refused(batch) == expected


def test_the_refusal_names_the_way() -> None:
    """What is wrong, and what to give."""
    batch, _ = ORDERS["newest first"]
    with pytest.raises(EventFileError, match=r"c\.csv: .*newest 64.*--sort"):
        next(EventOrder("c.csv", KEPT).judged([batch]))


@pytest.mark.parametrize("name", ORDERS)
def test_batches_are_judged_as_one(name: str) -> None:
    """However a file, or several, are cut into them."""
    batch, expected = ORDERS[name]
    cuts = [0, 10, 11, 60, len(batch)]
    assert refused(*(batch.part(a, b) for a, b in pairwise(cuts))) == expected


def test_what_comes_late_in_the_middle_is_counted() -> None:
    """An older part behind a newer one counts whole; minutes do not."""
    order = EventOrder("c.csv", KEPT)
    order.count(events([1] * 100, [86_400.0 + n for n in range(100)]))
    order.count(events([1] * 3, [86_000.0, 86_499.0, 86_500.0]))
    assert order.late == 0
    order.count(events([2] * 100, [float(n) for n in range(100)]))
    assert order.late == 100
    warning = order.warning() or ""
    assert "100 events came after newer ones" in warning
    assert "the whole file with --sort to a fresh log" in warning
    assert "never add --sort to a command with --skip" in warning


def test_one_late_event_is_one() -> None:
    """Not several."""
    order = EventOrder("c.csv", KEPT)
    order.count(events([1] * KEPT, [86_400.0 + n for n in range(KEPT)]))
    assert order.warning() is None
    order.count(events([1], [0.0]))
    assert (order.warning() or "").startswith("1 event came after newer ones")


def test_what_fits_into_a_buffer_is_not_told() -> None:
    """State takes in so few in any order."""
    order = EventOrder("c.csv", KEPT)
    order.count(events([1] * KEPT, [86_400.0 * -n for n in range(KEPT)]))
    assert order.late == KEPT - 1
    assert order.warning() is None


def test_a_stretch_that_goes_back_is_counted() -> None:
    """Newest first within an hour, in the middle of a file."""
    order = EventOrder("c.csv", KEPT)
    order.count(events([1] * 200, list(range(0, 2000, 10))))
    order.count(events([1] * 200, list(range(4000, 2000, -10))))
    assert order.late == 199
