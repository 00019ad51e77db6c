"""Metrics of lists beyond accuracy, against RecTools' and their definitions written out."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gsr.quality.beyond_accuracy import (
    catalogue_coverage,
    exposure_gini,
    mean_over_lists,
    neighbour_diversity,
    popularity_lift,
    recommended_popularity,
    self_information,
    vector_diversity,
)

RECTOOLS = Path(__file__).with_name("rectools_beyond_accuracy.json")
ITEMS = 12


def random_lists(rng: np.random.Generator, users: int, length: int) -> npt.NDArray[np.int64]:
    """Return lists of 0 to `length` different items."""
    lists = rng.permuted(np.tile(np.arange(ITEMS), (users, 1)), axis=1)[:, :length]
    lengths = rng.integers(0, length + 1, users)
    return np.where(np.arange(length) < lengths[:, None], lists, -1)


def test_values_are_those_of_rectools() -> None:
    """Made by `benchmarks.accuracy.rectools.beyond_accuracy`, which compares many more lists."""
    sample = json.loads(RECTOOLS.read_text())
    world, values = sample["world"], sample["values"]
    lists = np.array(world["lists"], dtype=np.int64)
    clicks = np.array(world["clicks"], dtype=np.int64)
    vectors = np.array(world["vectors"], dtype=np.float32)
    counts = clicks.sum(axis=0)
    novelty = self_information(lists, counts, len(clicks))
    popularity = recommended_popularity(lists, counts.astype(np.float64))
    covered = catalogue_coverage(lists, np.ones(len(counts), dtype=np.bool_))
    assert novelty.tolist() == pytest.approx(values["novelty"], abs=1e-12)
    assert popularity.tolist() == pytest.approx(values["popularity"], abs=1e-12)
    assert vector_diversity(lists, vectors).tolist() == pytest.approx(
        values["diversity"], abs=1e-12
    )
    assert [covered] == values["coverage"]


def test_coverage_counts_live_items_once() -> None:
    """Repeated and missing entries do not count."""
    alive = np.array([True, True, True, False])
    assert catalogue_coverage(np.array([[0, 0, -1], [1, 3, -1]]), alive) == pytest.approx(2 / 3)
    assert catalogue_coverage(np.zeros((0, 5), dtype=np.int64), alive) == 0.0
    assert catalogue_coverage(np.array([[0]]), np.zeros(1, dtype=np.bool_)) == 0.0


def test_gini_is_the_mean_difference_between_items() -> None:
    """Half the relative mean absolute difference, corrected for few items; dead ones are out."""
    rng = np.random.default_rng(1)
    lists = random_lists(rng, 30, 5)
    alive = np.arange(ITEMS) != 4
    shown = [int((lists == item).sum()) for item in range(ITEMS) if item != 4]
    n, mean = len(shown), np.mean(shown)
    differences = sum(abs(a - b) for a in shown for b in shown)
    expected = differences / (2 * n * n * mean) * n / (n - 1)
    assert exposure_gini(lists, alive) == pytest.approx(expected)


def test_gini_of_nothing_is_unknown() -> None:
    assert math.isnan(exposure_gini(np.full((2, 3), -1), np.ones(4, dtype=np.bool_)))
    assert math.isnan(exposure_gini(np.array([[0]]), np.ones(1, dtype=np.bool_)))


def test_empty_lists_are_left_out() -> None:
    """They have no novelty, popularity or diversity, and a mean over lists skips them."""
    lists = np.array([[-1, -1], [0, 1]])
    counts = np.array([1, 4])
    for values in (
        self_information(lists, counts, 4),
        recommended_popularity(lists, counts.astype(np.float64)),
        vector_diversity(lists, np.eye(2, dtype=np.float32)),
        neighbour_diversity(lists, np.array([[1], [0]])),
    ):
        assert np.isnan(values).tolist() == [True, False]
        assert mean_over_lists(values) == values[1]


def test_without_any_item_nothing_is_known() -> None:
    """Also where the catalogue is empty."""
    lists = np.full((2, 3), -1)
    assert np.isnan(self_information(lists, np.zeros(0, dtype=np.int64), 0)).all()
    assert np.isnan(vector_diversity(lists, np.zeros((0, 4), dtype=np.float32))).all()
    assert np.isnan(neighbour_diversity(lists, np.zeros((0, 4), dtype=np.int64))).all()
    assert math.isnan(mean_over_lists(np.full(2, np.nan)))


def test_lift_compares_lists_with_the_same_users_histories() -> None:
    """A user without a list, or without a history, says nothing."""
    popularity = np.array([8.0, 4.0, 2.0])
    lists = np.array([[0, -1], [0, 1], [-1, -1], [2, 2]])
    histories = np.array([[1, 1], [2, -1], [0, 0], [-1, -1]])
    expected = (8.0 + 6.0) / (4.0 + 2.0) - 1.0
    assert popularity_lift(lists, histories, popularity) == pytest.approx(expected)
    assert popularity_lift(histories, histories, popularity) == pytest.approx(0.0)
    assert math.isnan(popularity_lift(lists[2:], histories[2:], popularity))


def test_neighbour_diversity_is_the_mean_over_pairs() -> None:
    """Each pair's Jaccard distance by sets; an item without neighbours is like none."""
    rng = np.random.default_rng(2)
    neighbours = random_lists(rng, ITEMS, 4)
    lists = random_lists(rng, 25, 6)
    found = neighbour_diversity(lists, neighbours)
    sets = [set(row[row >= 0].tolist()) for row in neighbours]
    for row, value in zip(lists, found.tolist(), strict=True):
        pairs = list(combinations(row[row >= 0].tolist(), 2))
        if not pairs:
            assert math.isnan(value) if row[0] < 0 else value == 0.0
            continue
        likeness = [len(sets[a] & sets[b]) / max(len(sets[a] | sets[b]), 1) for a, b in pairs]
        assert value == pytest.approx(1.0 - np.mean(likeness))


def test_a_vector_of_zeros_is_far_from_all() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert vector_diversity(np.array([[0, 1]]), vectors).tolist() == [1.0]
