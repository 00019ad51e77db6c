"""All counters together: cut and grown in any way, they come out the same."""

import numpy as np
from hypothesis import given, settings

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from tests.gsr.counters.counted import (
    CLICK,
    ONE_SCALE,
    items_of,
)
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
    batch_of,
    part_of,
    small_configs,
    stories,
)


@settings(max_examples=40, deadline=None)
@given(story=stories(), config=small_configs())
def test_two_passes_equal_one(story: list[Told], config: CounterConfig) -> None:
    """Edges may be added later than buffers, click by click, without a difference."""
    batch = batch_of(story)
    whole = Counters(config, np.array(WEIGHTS))
    whole.apply(batch)
    apart = Counters(config, np.array(WEIGHTS))
    start = 0
    while start < len(batch):
        applied = apart.apply_buffers(batch, start, record_histories=True)
        for row in range(applied.start, applied.stop):
            apart.apply_edges(applied, row, row + 1)
        start = applied.stop
    used = slice(int(whole.items.edges.neighbours.top[0]))
    slots, others = whole.items.edges.neighbours.slots, apart.items.edges.neighbours.slots
    assert np.array_equal(slots[used], others[used])
    assert np.array_equal(whole.items.edges.weights[used], apart.items.edges.weights[used])
    for name in whole.items.columns._fields:
        mine, other = getattr(whole.items.columns, name), getattr(apart.items.columns, name)
        assert np.array_equal(mine, other), name
    for name in set(whole.users.columns._fields) - {"touched", "buffers"}:
        mine, other = getattr(whole.users.columns, name), getattr(apart.users.columns, name)
        assert np.array_equal(mine, other), name
    buffers, others_buffers = whole.users.columns.buffers, apart.users.columns.buffers
    for name in buffers._fields:
        assert np.array_equal(getattr(buffers, name), getattr(others_buffers, name)), name


def test_growth_keeps_everything() -> None:
    """Arrays that outgrow their room move without a trace."""
    story = [Told(user, user % 3000, START + user, CLICK, 0) for user in range(9000)]
    small = Counters(ONE_SCALE, np.array(WEIGHTS), users=1)
    batch = batch_of(story)
    for start in range(0, len(batch), 1000):
        small.apply(part_of(batch, start, start + 1000))
    assert small.items.next_index == 3000
    assert [items_of(small, user) for user in (0, 4567, 8999)] == [[0], [1567], [2999]]
