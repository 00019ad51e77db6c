"""Made-up clicks for tests of the state."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from stream.events.clicks.rules import EventRules

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


# Steps of the clock between records: ties, seconds, borders of re-basing and sessions, a pause,
# years, and late clicks.
_STEPS = np.array(
    [0.0, 0.0, 1.0, 1.5, 10.0, 30.0, 31.0, 32.0, 33.0, 61.0, 3600.0, -1.0, -5.0, -30.0, -90.0]
)
_RARE_STEPS = np.array([60.0 * 32, 86_400.0, 32 * 86_400.0, 400.0 * 86_400, -4000.0, -1e8])
_EVENTS = np.array([0, 0, 0, 0, 0, 1, 2, 3, 200])


@st.composite
def stories(draw: st.DrawFn, most: int = 400) -> list[Told]:
    """Draw records of few users and items: late, repeated, forgotten, years apart.

    The details come from a drawn seed, because drawing each of them would take seconds.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    users = draw(st.integers(1, 5))
    items = draw(st.integers(2, 14))
    hashes = draw(st.sampled_from([30, 1000]))
    calm = draw(st.booleans())
    time = START
    story: list[Told] = []
    for _ in range(draw(st.sampled_from([3, 30, most, most]))):
        rare = rng.random() < (0.0 if calm else 0.03)
        at = max(0.0, time + float(rng.choice(_RARE_STEPS if rare else _STEPS)))
        time = max(time, at)
        story.append(
            Told(
                user=int(rng.integers(users)),
                item=int(items * rng.random() ** 2),
                time=at,
                event=int(rng.choice(_EVENTS)),
                hash=int(rng.integers(hashes)),
                forget=rng.random() < 0.02,
            )
        )
    return story


@st.composite
def small_configs(draw: st.DrawFn) -> CounterConfig:
    """Draw settings so small that everything overflows."""
    neighbours = draw(st.integers(1, 3))
    scales = draw(st.integers(1, min(3, 2 * neighbours - 1)))
    close_scales = draw(st.integers(0, min(2, 2 * neighbours - 1 - scales)))
    lifetimes = st.sampled_from([None, 50.0, 1000.0])
    return CounterConfig(
        buffer_length=draw(st.integers(1, 6)),
        seen_items=draw(st.integers(0, 5)),
        neighbours=neighbours,
        half_lives=(1.0, 60.0, 86_400.0)[:scales],
        window_weights=(1.0, 0.5, 1.0 / 3.0)[: draw(st.integers(1, 3))],
        close_clicks=draw(st.integers(1, 5)) if close_scales else 0,
        close_half_lives=(60.0, 1e9)[:close_scales],
        session_gap_seconds=draw(st.sampled_from([None, 30.0])),
        user_ttl_seconds=draw(lifetimes),
        item_ttl_seconds=draw(lifetimes),
        max_items=draw(st.sampled_from([3, 8, 20, 1000])),
    )
