"""Drift: found soon, seldom where there is none, and measured."""

import numpy as np
import pytest

from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.drift import (
    DETECTORS,
    OutcomeDetector,
    embedding_movement,
    graph_churn,
    population_stability_index,
    top_neighbours,
)


def outcomes(rng: np.random.Generator, *spans: tuple[int, float]) -> np.ndarray:
    return np.concatenate([rng.random(count) < rate for count, rate in spans])


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_of_the_hit_rate_is_found(seed: int) -> None:
    """Halving a hit rate of 0.10 raises an alarm within 3,000 outcomes."""
    rng = np.random.default_rng(seed)
    alarms = OutcomeDetector().update(outcomes(rng, (20_000, 0.10), (3_000, 0.05)))
    assert [alarm for alarm in alarms if alarm.outcome >= 20_000]
    assert len([alarm for alarm in alarms if alarm.outcome < 20_000]) <= 1


def test_a_rise_of_the_hit_rate_is_no_alarm() -> None:
    """Only a fall is something to work against."""
    rng = np.random.default_rng(0)
    detector = OutcomeDetector()
    assert detector.update(outcomes(rng, (10_000, 0.05), (10_000, 0.15))) == []
    assert detector.hit_rate == pytest.approx(0.15, abs=0.03)


def test_an_alarm_says_how_far_the_rate_fell() -> None:
    """Before and after are the rates that a person would name."""
    rng = np.random.default_rng(13)
    alarms = OutcomeDetector().update(outcomes(rng, (20_000, 0.6), (3_000, 0.3)))
    (alarm,) = [alarm for alarm in alarms if alarm.detector == "page_hinkley"]
    assert alarm.before == pytest.approx(0.6, abs=0.03)
    assert 0.25 < alarm.after < 0.45


def test_a_rebuilt_detector_goes_on() -> None:
    """After a restart the same outcomes raise the same alarms."""
    rng = np.random.default_rng(3)
    before, after = outcomes(rng, (5_000, 0.3)), outcomes(rng, (5_000, 0.1))
    first = OutcomeDetector()
    first.update(before)
    second = OutcomeDetector()
    second.rebuild(first.recent(), first.outcomes, first.alarms)
    assert second.update(after) == first.update(after)
    assert second.alarms == first.alarms
    assert set(second.alarms) == set(DETECTORS)


def test_remembered_outcomes_are_bounded() -> None:
    """Memory does not grow with the stream."""
    detector = OutcomeDetector(kept_outcomes=10)
    detector.update(np.zeros(100, dtype=np.bool_))
    assert len(detector.recent()) == 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.zeros(0), np.ones(5)),
        (np.zeros(5), np.ones(5)),
        (np.ones(5), np.zeros(5)),
        (np.ones(5), np.ones(5)),
    ],
)
def test_nothing_to_compare_is_no_shift(before: np.ndarray, after: np.ndarray) -> None:
    """Empty spans, and equal ones, have an index of zero."""
    assert population_stability_index(before, after) == pytest.approx(0.0)


def test_items_that_appear_shift_popularity() -> None:
    """Clicks on items that had none before count as a shift."""
    before = np.zeros(50)
    before[:40] = 1.0
    after = before.copy()
    after[40:] = 4.0
    assert population_stability_index(before[:45], after) > 0.25


def test_one_huge_item_keeps_the_index_finite() -> None:
    """All clicks in one bin are no division by zero."""
    assert np.isfinite(population_stability_index(np.array([1e9]), np.array([1e9, 1.0])))


def test_movement_looks_at_shared_rows_only() -> None:
    """New rows have not moved, and rows without length have no direction."""
    before = np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    after = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 5.0]], dtype=np.float32)
    assert embedding_movement(before, after) == pytest.approx(1.0)
    assert embedding_movement(before[:0], after) == 0.0


def test_churn_ignores_order_and_newcomers() -> None:
    """The same neighbours in another order have not changed; rows without any do not count."""
    before = np.array([[1, 2, 3], [-1, -1, -1]])
    assert graph_churn(before, np.array([[3, 1, 2], [4, 5, 6], [1, 2, 3]])) == 0.0
    assert graph_churn(before, np.array([[7, 8, 9], [4, 5, 6]])) == 1.0


def test_top_neighbours_are_the_heaviest() -> None:
    """Each row's best on the asked time scale, -1 where there are fewer."""
    graph = ItemGraph(
        half_lives=np.array([1.0, 2.0]),
        row_starts=np.array([0, 3]),
        row_lengths=np.array([3, 1], dtype=np.int32),
        row_references=np.zeros((2, 2), dtype=np.int64),
        neighbours=np.array([5, 6, 7, 8], dtype=np.uint32),
        weights=np.array([[1, 9], [2, 3], [3, 5], [1, 1]], dtype=np.float32),
        popularity=np.zeros((2, 2), dtype=np.float32),
        popularity_references=np.zeros((2, 2), dtype=np.int64),
        last_clicks=np.zeros(2),
        alive=np.ones(2, dtype=np.bool_),
        close_half_lives=np.zeros(0),
    )
    assert top_neighbours(graph, 1, 2).tolist() == [[5, 7], [8, -1]]
