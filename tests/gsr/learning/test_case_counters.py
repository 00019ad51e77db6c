"""Counters of a fixed set are those that the stream has after the same clicks."""

import numpy as np

from gsr.counters.config import CounterConfig
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.counters.items.item_graph import ItemGraph
from gsr.learning.case_counters import CaseCounters

USERS, ITEMS, CLICKS = 12, 9, 200
DAY = 86_400.0
SCALES = CounterConfig(half_lives=(DAY, 30 * DAY), close_half_lives=(30 * DAY,))


def _clicks(seed: int = 3) -> Interactions:
    rng = np.random.default_rng(seed)
    return gather_interactions(
        rng.integers(USERS, size=CLICKS),
        rng.integers(ITEMS - 1, size=CLICKS),
        rng.permutation(CLICKS).astype(np.float64) * 60.0 + 1e9,
        np.zeros(CLICKS, np.uint8),
        user_count=USERS,
        item_count=ITEMS,
    )


def _row(graph: ItemGraph, item: int) -> dict[int, list[float]]:
    """Return neighbour -> weights."""
    first = int(graph.row_starts[item])
    places = range(first, first + int(graph.row_lengths[item]))
    return {int(graph.neighbours[p]): graph.weights[p].tolist() for p in places}


def test_counting_in_steps_ends_with_the_same_counters() -> None:
    """But for clicks that came late: here each step is later than the one before."""
    clicks = _clicks()
    cut = float(np.quantile(clicks.times, 0.6))
    early = clicks.starts[:-1] + np.bincount(
        clicks.users[clicks.times <= cut], minlength=clicks.user_count
    )
    stepwise, at_once = (CaseCounters(clicks, SCALES, (1.0,)) for _ in range(2))
    stepwise.count(early)
    assert float(stepwise.counters.graph().popularity.sum()) > 0.0
    stepwise.count(clicks.starts[1:])
    stepwise.count(clicks.starts[1:])
    at_once.count(clicks.starts[1:])
    found, wanted = stepwise.counters.graph(), at_once.counters.graph()
    np.testing.assert_array_equal(stepwise.rows, at_once.rows)
    np.testing.assert_allclose(found.popularity, wanted.popularity)
    for item in range(wanted.items):
        assert _row(found, item) == _row(wanted, item)


def test_every_click_counts_and_unclicked_items_have_no_row() -> None:
    """Also clicks that are equal in user, item and time."""
    twice = gather_interactions(
        np.array([0, 0, 0]),
        np.array([1, 1, 2]),
        np.array([1e9, 1e9, 1e9]),
        np.zeros(3, np.uint8),
        user_count=1,
        item_count=4,
    )
    undying = CounterConfig(half_lives=(1e15,), close_half_lives=(1e15,))
    counted = CaseCounters(twice, undying, (1.0,))
    assert counted.rows.tolist() == [-1, -1, -1, -1]
    counted.count(twice.starts[1:])
    rows = counted.rows
    assert rows[0] == rows[3] == -1
    popularity = counted.counters.graph().popularity[:, 0]
    np.testing.assert_allclose(popularity[rows[[1, 2]]], [2.0, 1.0], rtol=1e-4)


def test_clicks_after_the_ends_are_not_counted() -> None:
    clicks = _clicks()
    counted = CaseCounters(clicks, SCALES, (1.0,))
    ends = clicks.starts[:-1] + clicks.lengths // 2
    counted.count(ends)
    last = max(clicks.times[a:b].max() for a, b in zip(clicks.starts, ends, strict=False) if b > a)
    assert counted.counters.watermark == last
