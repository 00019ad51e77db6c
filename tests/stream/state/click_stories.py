"""Made-up clicks for tests of the state."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from stream.events.click import ClickBatch, EventRules
from stream.state.config import StateConfig

RULES = EventRules(weights={"click": 1.0, "buy": 3.0, "seen": 0.0, "hide": -1.0})
WEIGHTS = list(RULES.weights.values())
START = 1_700_000_000.0


@dataclass(frozen=True)
class Told:
    """One record of a story."""

    user: int
    item: int
    time: float
    event: int = 0
    hash: int = 0
    forget: bool = False


def batch_of(story: list[Told], first_offset: int = 0) -> ClickBatch:
    """Return records as a batch; each second record of the log is a bad one."""
    n = len(story)
    return ClickBatch(
        user_ids=[f"user-{told.user}" for told in story],
        item_ids=["" if told.forget else f"item-{told.item}" for told in story],
        times=np.array([0.0 if told.forget else told.time for told in story]),
        events=np.array([told.event for told in story], dtype=np.uint8),
        hashes=np.array([told.hash for told in story], dtype=np.uint64),
        forget=np.array([told.forget for told in story], dtype=np.bool_),
        offsets=first_offset + np.arange(n, dtype=np.int64),
        append_times=START + np.arange(first_offset, first_offset + n, dtype=np.float64),
    )


def part_of(batch: ClickBatch, start: int, stop: int) -> ClickBatch:
    """Return rows ``start : stop`` of a batch."""
    part = slice(start, stop)
    return ClickBatch(
        batch.user_ids[part],
        batch.item_ids[part],
        batch.times[part],
        batch.events[part],
        batch.hashes[part],
        batch.forget[part],
        batch.offsets[part],
        batch.append_times[part],
    )


def watermark_after(batch: ClickBatch, stop: int) -> float:
    """Return the newest time of the first `stop` rows."""
    times = batch.times[:stop][~batch.forget[:stop]]
    return float(times.max(initial=-np.inf))


# Steps of the clock between records: ties, seconds, a pause, years (re-basing), and late clicks.
_STEPS = st.one_of(
    st.sampled_from([0.0, 1.0, 10.0, 61.0, 3600.0, 400.0 * 86_400, -5.0, -30.0, -90.0]),
    st.floats(0.0, 100.0, allow_nan=False, width=32),
)


@st.composite
def stories(draw: st.DrawFn, most: int = 120) -> list[Told]:
    """Draw records of few users and items: late, repeated, forgotten, years apart."""
    time = START
    story: list[Told] = []
    for _ in range(draw(st.integers(1, most))):
        step = draw(_STEPS)
        at = max(0.0, time + step)
        time = max(time, at)
        story.append(
            Told(
                user=draw(st.integers(0, 4)),
                item=draw(st.integers(0, 12)),
                time=at,
                event=draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3, 200])),
                hash=draw(st.integers(0, 60)),
                forget=draw(st.integers(0, 30)) == 0,
            )
        )
    return story


@st.composite
def small_configs(draw: st.DrawFn) -> StateConfig:
    """Draw settings so small that everything overflows."""
    neighbours = draw(st.integers(1, 3))
    scales = draw(st.integers(1, min(3, 2 * neighbours - 1)))
    lifetimes = st.sampled_from([None, 50.0, 1000.0])
    return StateConfig(
        buffer_length=draw(st.integers(1, 6)),
        seen_items=draw(st.integers(0, 5)),
        neighbours=neighbours,
        half_lives=(1.0, 60.0, 86_400.0)[:scales],
        window_weights=(1.0, 0.5, 1.0 / 3.0)[: draw(st.integers(1, 3))],
        session_gap_seconds=draw(st.sampled_from([None, 30.0])),
        user_ttl_seconds=draw(lifetimes),
        item_ttl_seconds=draw(lifetimes),
        max_items=draw(st.sampled_from([3, 8, 20, 1000])),
    )
