"""Shoppers on a ring of items and a small loop that learns them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gsr.config import ModelConfig
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.users.histories import Histories
from gsr.loop.encoded_stream import EncodedStream
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.loop.options import LoopOptions
from gsr.network.model import JointModel
from gsr.ranker.config import RankerConfig, RankerLearning

START = 1e9
ITEMS = 30
USERS = 20
CLICK, SEEN, HIDE = 0, 1, 2
WEIGHTS = (1.0, 0.0, -1.0)
STATE = CounterConfig(half_lives=(3600.0, 86_400.0), neighbours=16, buffer_length=16)
MODEL = RankerConfig(
    half_lives=STATE.half_lives,
    event_weights=WEIGHTS,
    listed=20,
    kept=20,
    hidden=16,
    dimension=8,
    history_length=8,
)
LEARNER = RankerLearning(block=100, step=25, sampled=32, holdout=0.1)
OPTIONS = LoopOptions(state=STATE, model=MODEL, learner=LEARNER, half_lives=STATE.half_lives)
ENCODERS = ModelConfig(
    dimension=8,
    half_lives=STATE.half_lives,
    event_weights=(1.0,),
    history_length=8,
    graph_encoder=False,
)


def loop_of(**changes: object) -> LearningLoop:
    """Return an empty loop whose options differ from `OPTIONS` in these."""
    return LearningLoop(replace(OPTIONS, **changes))  # type: ignore[arg-type]  # settings are mixed


def encoded_stream_of(mirror: Mirror, *, mask_seen: bool = True) -> EncodedStream:
    """Return a ranker over encoders that have learned nothing."""
    stream = EncodedStream(MODEL, LEARNER, mirror, mask_seen=mask_seen)
    stream.serve(JointModel(ENCODERS, 0))
    return stream


def history_of(loop: LearningLoop, user: str, now: float) -> Histories:
    """Return what the loop's counters know of a user."""
    buffer = loop.mirror.arrays.user_buffer(user)
    assert buffer is not None
    count = len(buffer)
    return Histories(
        buffer.items[None],
        buffer.times[None],
        np.full((1, count), CLICK, dtype=np.uint8),
        np.array([count]),
        np.array([now]),
    )


def batch_of(clicks: Sequence[tuple[str, str | None, float]], event: int = CLICK) -> ClickBatch:
    """Return clicks of (user, item, seconds since `START`); without an item, forget the user."""
    count = len(clicks)
    forget = np.array([item is None for _, item, _ in clicks])
    times = np.array([START + seconds for _, _, seconds in clicks])
    return ClickBatch(
        user_ids=[user for user, _, _ in clicks],
        item_ids=[item or "" for _, item, _ in clicks],
        times=np.where(forget, 0.0, times),
        events=np.full(count, event, dtype=np.uint8),
        hashes=times.astype(np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15),
        forget=forget,
        offsets=np.arange(count),
        append_times=times,
    )


def ring(count: int, *, start: float = 0.0, seed: int = 0, prefix: str = "i") -> ClickBatch:
    """Return `count` clicks a minute apart of users who walk along a ring of items."""
    rng = np.random.default_rng(seed)
    at = rng.integers(ITEMS, size=USERS)
    clicks: list[tuple[str, str | None, float]] = []
    for number in range(count):
        user = int(rng.integers(USERS))
        at[user] = (at[user] + 1) % ITEMS
        clicks.append((f"u{user}", f"{prefix}{at[user]}", start + 60.0 * number))
    return batch_of(clicks)
