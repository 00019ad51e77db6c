"""Serendipity and popularity deciles, against RecTools' and by sorting the catalogue."""

import json
from pathlib import Path

import numpy as np
import pytest

from gsr.quality.beyond_accuracy_of_hits import DECILES, PopularityScale, serendipity

RECTOOLS = Path(__file__).with_name("rectools_beyond_accuracy.json")


def test_serendipity_is_that_of_rectools() -> None:
    """Made by `benchmarks.accuracy.rectools.beyond_accuracy`; some targets have no click."""
    sample = json.loads(RECTOOLS.read_text())
    lists = np.array(sample["world"]["full_lists"], dtype=np.int64)
    targets = np.array(sample["world"]["targets"], dtype=np.int64)
    counts = np.array(sample["world"]["clicks"], dtype=np.int64).sum(axis=0)
    found = lists == targets[:, None]
    ranks = np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0).astype(np.int32)
    popular = PopularityScale(counts).ranks(counts[targets])
    values = serendipity(ranks[:, None], popular, len(counts), lists.shape[1])
    assert values[:, 0].tolist() == pytest.approx(sample["values"]["serendipity"], abs=1e-12)
    assert values.any()
    assert (counts[targets] == 0).any()


def test_ranks_past_the_list_are_no_surprise() -> None:
    """Neither is an item that stands no higher than its popularity puts it."""
    ranks = np.array([[0, 5, 6, 4]], dtype=np.int32)
    assert serendipity(ranks, np.array([5]), items=10, length=5)[0].tolist() == [0, 0, 0, 0.02]


def test_each_decile_has_a_tenth_of_the_clicks() -> None:
    """Of the clicks, not of the items: the first has few items, the last has most."""
    clicks = np.random.default_rng(0).zipf(1.4, 3000) % 10_000
    deciles = PopularityScale(clicks).deciles(clicks)
    shares = np.bincount(deciles, weights=clicks, minlength=DECILES) / clicks.sum()
    sizes = np.bincount(deciles, minlength=DECILES)
    assert shares[2:-1] == pytest.approx(0.1, abs=0.05)
    assert sizes[0] < 10
    assert sizes[-1] > 1000
    order = np.argsort(-clicks, kind="stable")
    assert (np.diff(deciles[order]) >= 0).all()


def test_items_with_equally_many_clicks_are_not_told_apart() -> None:
    scale = PopularityScale(np.full(50, 7))
    assert scale.deciles(np.array([7, 7])).tolist() == [5, 5]
    assert scale.ranks(np.array([7, 7])).tolist() == [1, 1]


def test_later_clicks_and_new_items_have_a_place() -> None:
    """Counts that no item had when the scale was made, and items that were not there."""
    scale = PopularityScale(np.array([10, 10, 5, 0]))
    assert scale.ranks(np.array([20, 10, 7, 5, 1, 0])).tolist() == [1, 1, 2, 2, 3, 5]
    assert scale.deciles(np.array([20, 7, 1, 0])).tolist() == [0, 8, 9, 9]


def test_a_scale_of_nothing_puts_everything_last() -> None:
    scale = PopularityScale(np.zeros(0, dtype=np.int64))
    assert scale.deciles(np.array([3, 0])).tolist() == [9, 9]
    assert scale.ranks(np.array([3, 0])).tolist() == [1, 1]
