"""Ranking metrics, against RecTools' and the textbook."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gsr.quality.ranking_metrics import (
    CUTOFFS,
    METRICS,
    MISS,
    deviation_over_runs,
    mean_over_runs,
    metric_means,
    metric_values,
    rank_sums,
    slice_means,
)

RECTOOLS = Path(__file__).with_name("rectools_metrics.json")


def ranks_of(*ranks: int) -> np.ndarray:
    return np.array(ranks, dtype=np.int32)


def test_values_are_those_of_rectools() -> None:
    """RecTools cannot be installed beside us; this is what it said of random lists.

    Written, and compared on many more lists, by `benchmarks.accuracy.rectools.ranking_metrics`.
    """
    sample = json.loads(RECTOOLS.read_text())
    values = metric_values(ranks_of(*sample["ranks"]))
    assert tuple(sample["values"]) == METRICS
    assert {sum(rank > 0 for rank in sample["ranks"]), 0} != {0}
    for column, name in enumerate(METRICS):
        assert values[:, column].tolist() == pytest.approx(sample["values"][name], abs=1e-15)


@pytest.mark.parametrize("rank", [1, 5, 6, 20, 21, MISS, 0, -1])
def test_a_rank_below_one_is_a_miss(rank: int) -> None:
    """A hit counts 1, 1 / log2(rank + 1) and 1 / rank."""
    values = dict(zip(METRICS, metric_values(ranks_of(rank))[0].tolist(), strict=True))
    for cutoff in CUTOFFS:
        found = 0 < rank <= cutoff
        assert values[f"hr@{cutoff}"] == found
        assert values[f"ndcg@{cutoff}"] == pytest.approx(1 / math.log2(rank + 1) if found else 0)
        assert values[f"mrr@{cutoff}"] == pytest.approx(1 / rank if found else 0)


def test_sums_and_means_agree() -> None:
    ranks = np.random.default_rng(0).integers(0, 30, 200).astype(np.int32)
    means = metric_means(ranks)
    assert tuple(means) == METRICS
    assert list(means.values()) == pytest.approx((rank_sums(ranks[:, None])[0] / 200).tolist())


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no ranks"):
        metric_means(ranks_of())


def test_a_slice_tells_its_size_and_an_empty_one_nothing_else() -> None:
    ranks = ranks_of(1, 7, MISS, 3)
    chosen = np.array([True, True, False, False])
    slices = slice_means(ranks, {"some": chosen, "none": np.zeros(4, dtype=np.bool_)})
    assert slices["some"] == {"cases": 2, **metric_means(ranks[:2])}
    assert slices["none"] == {"cases": 0}


def test_runs_have_a_mean_and_a_sample_deviation() -> None:
    runs = [{"hr@10": 0.1}, {"hr@10": 0.2}, {"hr@10": 0.6}]
    assert mean_over_runs(runs) == {"hr@10": pytest.approx(0.3)}
    assert deviation_over_runs(runs) == {"hr@10": pytest.approx(math.sqrt(0.07))}


def test_one_run_has_no_deviation() -> None:
    assert deviation_over_runs([{"hr@10": 0.1}]) == {"hr@10": None}
