"""A small stream of clicks, counters that have taken it in, and small rankers."""

from dataclasses import replace

import numpy as np

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import IdColumn
from gsr.ranker.config import RankerConfig, RankerLearning
from gsr.ranker.learner import RankerLearner
from gsr.ranker.model import RankerModel
from gsr.ranker.recorder import ClickRecorder, Recorded

START = 1e9
ITEMS = 40
USERS = 15
CLICK, SEEN = 0, 1
WEIGHTS = (1.0, 0.0)
STATE = CounterConfig(
    half_lives=(3600.0, 86_400.0),
    neighbours=32,
    buffer_length=8,
    seen_items=20,
    close_clicks=3,
    close_half_lives=(86_400.0,),
)
SHAPE = RankerConfig(
    half_lives=STATE.half_lives,
    close_half_lives=STATE.close_half_lives,
    event_weights=WEIGHTS,
    listed=20,
    kept=20,
    hidden=8,
    dimension=8,
    history_length=6,
)
LEARNING = RankerLearning(block=50, step=25, replay_blocks=4, sampled=32, holdout=0.0)


def clicks_of(rows: list[tuple[str, str, float]], *, first: int = 0) -> ClickBatch:
    """Return clicks of (user, item, seconds since `START`)."""
    times = np.array([START + seconds for _, _, seconds in rows])
    count = len(rows)
    return ClickBatch(
        user_ids=[user for user, _, _ in rows],
        item_ids=[item for _, item, _ in rows],
        times=times,
        events=np.zeros(count, dtype=np.uint8),
        hashes=np.arange(first + 1, first + count + 1).astype(np.uint64),
        forget=np.zeros(count, dtype=np.bool_),
        offsets=np.arange(first, first + count),
        append_times=times,
    )


def walks(count: int, *, seed: int = 0, first: int = 0) -> ClickBatch:
    """Return clicks of users who mostly go from each item to the next one."""
    rng = np.random.default_rng(seed)
    at = rng.integers(ITEMS, size=USERS)
    rows = []
    for number in range(count):
        user = int(rng.integers(USERS))
        at[user] = (at[user] + 1) % ITEMS if rng.random() < 0.8 else rng.integers(ITEMS)
        rows.append((f"u{user}", f"i{at[user]}", 60.0 * (first + number)))
    return clicks_of(rows, first=first)


class Stream:
    """Counters and a ranker that go through clicks; `Recorded` of each batch is kept."""

    def __init__(
        self,
        shape: RankerConfig = SHAPE,
        *,
        state: CounterConfig = STATE,
        mask: bool = True,
        **learning: float,
    ) -> None:
        self.counters = Counters(state, np.array(WEIGHTS))
        self.model = RankerModel(shape, 0)
        self.learner = RankerLearner(self.model, replace(LEARNING, **learning))  # type: ignore[arg-type]  # settings are mixed
        self.recorder = ClickRecorder(self.model, self.counters, mask_seen=mask)

    def push(self, batch: ClickBatch) -> AppliedClicks:
        """Let clicks into the buffers."""
        applied = self.counters.apply_buffers(batch, record_histories=True)
        assert applied.stop == len(batch)
        return applied

    def record(self, batch: ClickBatch, rows: np.ndarray | None = None) -> Recorded:
        """Count clicks, of which `rows` (None: all) are recorded."""
        applied = self.push(batch)
        rows = applied.accepted_rows if rows is None else rows
        self.learner.grow(self.counters.items.used)
        users = IdColumn.of(batch.user_ids).hashes[rows]
        return self.recorder.record(applied, rows, users, self.learner)

    def row(self, item: str) -> int:
        """Return an item's row."""
        return int(self.counters.item_rows([item])[0])
