"""Clicks of shoppers on a ring of items, and a recommender that is small enough for tests."""

import numpy as np
import pyarrow as pa

from gsr.counters.config import CounterConfig
from gsr.library.settings import StreamSettings
from gsr.library.stream_recommender import StreamRecommender
from gsr.ranker.config import RankerConfig, RankerLearning

MODEL = RankerConfig(dimension=8, history_length=8, hidden=8, listed=20, kept=20)
LEARNING = RankerLearning(block=64, step=32, sampled=32, replay_blocks=4, holdout=0.1)
SETTINGS = StreamSettings(model=MODEL, learning=LEARNING, counters=CounterConfig(max_items=1000))


def shoppers(count: int, seed: int = 0) -> pa.Table:
    """Return clicks of forty shoppers who walk along a ring of ninety items, now and then jumping.

    A minute apart, as a frame of `user_id`, `item_id` and `timestamp`.
    """
    rng = np.random.default_rng(seed)
    at: dict[int, int] = {}
    users, items = [], []
    for _ in range(count):
        user = int(rng.integers(40))
        at[user] = int(rng.integers(90)) if rng.random() < 0.1 else at.get(user, user) + 1
        users.append(f"u{user}")
        items.append(f"i{at[user] % 90}")
    times = 1e9 + 60.0 * np.arange(count)
    return pa.table({"user_id": users, "item_id": items, "timestamp": times})


def fitted(count: int = 1000, settings: StreamSettings = SETTINGS) -> StreamRecommender:
    """Return a recommender that has learned so many clicks."""
    return StreamRecommender(settings).fit(shoppers(count))
