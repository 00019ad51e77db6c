"""Sums of ranking metrics."""

import math

import numpy as np
import pytest

from gsr.quality.prequential import Prequential, RecentRanks, Tally
from gsr.quality.ranking_metrics import CUTOFFS, METRICS, MISS, rank_sums


def ranks_of(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.int32)


@pytest.mark.parametrize("rank", [1, 2, 5, 6, 10, 11, 20, 21, MISS])
@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_metrics_of_one_click_are_those_of_the_textbook(rank: int, cutoff: int) -> None:
    """A hit counts 1, 1 / log2(rank + 1) and 1 / rank; a rank past the cutoff counts nothing."""
    sums = dict(zip(METRICS, rank_sums(ranks_of((rank,)))[0], strict=True))
    found = rank <= cutoff
    assert sums[f"hr@{cutoff}"] == found
    assert sums[f"ndcg@{cutoff}"] == pytest.approx(1 / math.log2(rank + 1) if found else 0.0)
    assert sums[f"mrr@{cutoff}"] == pytest.approx(1 / rank if found else 0.0)


def test_nothing_scored_means_zero() -> None:
    """An empty tally divides by nothing."""
    assert set(Tally(2).means(1).values()) == {0.0}


def filled() -> Prequential:
    quality = Prequential(["joint", "graph"])
    quality.add(ranks_of((1, 2), (3, 1)))
    quality.add(ranks_of((MISS, 9), (7, MISS)))
    return quality


def test_every_click_counts() -> None:
    """Whichever batch it came with."""
    quality = filled()
    assert quality.overall.scored == 4
    assert quality.overall.means(0)["hr@10"] == 0.75
    assert quality.overall.means(1)["hr@5"] == 0.5


def test_the_best_of_several_is_found() -> None:
    """The first of equal ones wins, so that a choice does not depend on chance."""
    quality = filled()
    assert quality.best(["joint", "graph"], "mrr@5") == "graph"
    assert Prequential(["a", "b"]).best(["a", "b"]) == "a"


def test_a_stored_state_continues_exactly() -> None:
    """What went through JSON gives the same means."""
    quality = Prequential(["joint", "graph"])
    assert quality.restore(filled().to_dict())
    assert quality.to_dict() == filled().to_dict()


def test_a_state_of_other_models_is_refused() -> None:
    """Sums of one thing are never continued as those of another."""
    other = Prequential(["joint"])
    before = other.to_dict()
    assert not other.restore(filled().to_dict())
    assert other.to_dict() == before


def test_recent_ranks_forget_the_oldest() -> None:
    """Only the newest clicks count, in each slice too."""
    recent = RecentRanks(["joint"], 3)
    for rank, new in ((1, True), (1, True), (30, False), (30, True), (2, False)):
        recent.add(ranks_of((rank,)), new_users=np.array([new]), new_items=np.array([False]))
    assert len(recent) == 3
    assert recent.means("joint")["hr@20"] == pytest.approx(1 / 3)
    assert recent.means("joint", "new_users")["hr@20"] == 0.0
    assert recent.means("joint", "new_items")["hr@20"] == 0.0
