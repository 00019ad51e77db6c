"""What was popular lately is what was clicked before each moment, and fades."""

import numpy as np
import pytest

from gsr.counters.interactions import Interactions, gather_interactions
from gsr.votes import click_graph
from gsr.votes.click_graph import count_clicks

HALF_LIFE = 10.0


def _clicks(count: int, items: int, seed: int = 4) -> Interactions:
    rng = np.random.default_rng(seed)
    return gather_interactions(
        np.repeat(np.arange(count // 5), 5),
        rng.integers(0, items, count),
        np.sort(rng.integers(0, 60, count)).astype(np.float64),
        np.zeros(count, np.uint8),
        user_count=count // 5,
        item_count=items,
    )


def test_recent_popularity_is_that_of_the_clicks_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every moment: a click counts half after a half-life, and not at its own time."""
    monkeypatch.setattr(click_graph, "MOST_MOMENTS", 7)
    clicks = _clicks(100, 6)
    ends = clicks.starts[1:] - 1
    recent = count_clicks(clicks, ends, (1.0,), HALF_LIFE).recent
    assert 2 <= len(recent.moments) <= 7
    assert (np.diff(recent.moments) > 0).all()
    counted = np.arange(100) % 5 < 4
    for moment, found in zip(recent.moments, recent.counts, strict=True):
        known = counted & (clicks.times < moment)
        ages = moment - clicks.times[known]
        expected = np.bincount(clicks.items[known], 0.5 ** (ages / HALF_LIFE), minlength=6)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_time_is_told_by_the_last_moment_before_it() -> None:
    clicks = _clicks(100, 6)
    recent = count_clicks(clicks, clicks.starts[1:], (1.0,), HALF_LIFE).recent
    first, second = recent.moments[:2]
    asked = np.array([first - 1.0, first, (first + second) / 2.0, second, 1e9])
    np.testing.assert_array_equal(recent.rows(asked), [0, 0, 0, 1, len(recent.moments) - 1])


def test_moments_are_few_where_items_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, but there are always some."""
    clicks = _clicks(100, 6)
    monkeypatch.setattr(click_graph, "MOMENT_CELLS", 60)
    assert len(count_clicks(clicks, clicks.starts[1:], (1.0,), HALF_LIFE).recent.moments) <= 10
    monkeypatch.setattr(click_graph, "MOMENT_CELLS", 1)
    assert len(count_clicks(clicks, clicks.starts[1:], (1.0,), HALF_LIFE).recent.moments) == 4


def test_nothing_counted_is_nothing_popular() -> None:
    clicks = _clicks(100, 6)
    recent = count_clicks(clicks, clicks.starts[:-1], (1.0,), HALF_LIFE).recent
    assert recent.counts.shape == (1, 6)
    assert not recent.counts.any()
