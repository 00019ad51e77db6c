"""The vector ranker: what vectors add to counters, and what must not change its ranks."""

import numpy as np

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.ranker.ranker import CounterRanker, RankerOptions
from gsr.baselines.vector_ranker.vector_features import VectorOptions
from gsr.baselines.vector_ranker.vector_ranker import vector_ranker
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import click_stream

SMALL = RankerOptions(block=100, step=25, listed=40, kept=40, hidden=8, replay_blocks=8)
VECTORS = VectorOptions(dimension=16, clicks=8, sampled=32, rate=0.01)
ITEMS = 40


def tastes(events: int) -> CountedClicks:
    """Return clicks of users who like every fifth item, in no order."""
    rng = np.random.default_rng(0)
    users = rng.integers(30, size=events)
    items = users % 5 + 5 * rng.integers(ITEMS // 5, size=events)
    rows = zip(users.tolist(), items.tolist(), [30.0] * events, strict=True)
    return click_stream(list(rows))[0]


def feed(ranker: CounterRanker, clicks: CountedClicks) -> np.ndarray:
    scored = np.ones(len(clicks.targets), dtype=np.bool_)
    return ranker.rank_and_add(clicks, scored=scored, mask_history=False)[:, 0]


def test_it_learns_tastes_and_says_the_same_each_time() -> None:
    """Eight of forty items are liked: in the end the clicked one is among the first eight."""
    clicks = tastes(2500)
    ranker = vector_ranker(SMALL, VECTORS)
    assert ranker.names == ("vector-ranker",)
    ranks = feed(ranker, clicks)
    assert (ranks[-500:] <= 8).mean() > 0.8
    assert np.array_equal(ranks, feed(vector_ranker(SMALL, VECTORS), clicks))


def test_released_items_are_misses_until_they_come_again() -> None:
    """Also where clicks on them wait to be learned, or are kept."""
    clicks = tastes(950)
    ranker = vector_ranker(SMALL, VECTORS)
    feed(ranker, clicks)
    ranker.release(np.arange(0, ITEMS, 2))
    later = clicks._replace(times=clicks.times + 40_000.0)
    scored = np.ones(len(later.targets), dtype=np.bool_)
    ranks = ranker.rank(later, scored=scored, mask_history=False)[:, 0]
    gone = later.targets % 2 == 0
    assert (ranks[gone] == MISS).all()
    assert (ranks[~gone & (later.lengths > 0)] < MISS).mean() > 0.9
    assert (feed(ranker, later)[-300:] <= 12).mean() > 0.5
