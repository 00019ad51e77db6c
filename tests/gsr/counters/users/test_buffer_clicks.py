"""The clicks of one user's buffer."""

import numpy as np
import numpy.typing as npt
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from tests.gsr.counters.counted import (
    CLICK,
    counters_of,
    items_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
    batch_of,
)


def test_equal_times_keep_log_order() -> None:
    """A click as old as another one comes behind it."""
    assert items_of(counters_of(walk(5, 4, 3, 9)), 0) == [5, 4, 3, 9]


def test_histories_are_as_before_the_click() -> None:
    """A click's history is its user's buffer without it; its item is not alive yet."""
    counters = Counters(CounterConfig(buffer_length=2), np.array(WEIGHTS))
    batch = batch_of(walk(1, 2, 3, step=1.0))
    applied = counters.apply_buffers(batch, record_histories=True)
    assert applied.history_lengths.tolist() == [0, 1, 2]
    assert applied.history_items.tolist() == [[-1, -1], [0, -1], [0, 1]]
    assert applied.history_times.tolist() == [[0, 0], [START, 0], [START, START + 1]]
    assert counters.graph().alive.tolist() == [False, False, False]
    counters.apply_edges(applied, 0, 2)
    assert counters.graph().alive.tolist() == [True, True, False]


def test_a_user_with_20_000_clicks() -> None:
    """One busy user costs what any click costs, and memory stays bounded."""
    count = 20_000
    rng = np.random.default_rng(0)
    items: npt.NDArray[np.int64] = rng.integers(0, 5000, count)
    story = [Told(0, item, START + i, CLICK, i) for i, item in enumerate(items.tolist())]
    counters = counters_of(story, CounterConfig())
    buffer = counters.user_buffer("user-0")
    assert buffer is not None
    assert len(buffer) == 64
    assert len(buffer.seen) == 1000
    assert int(counters.users.seen.top[0]) < 5000


def test_a_full_buffer_keeps_its_newest_clicks() -> None:
    """By event time: a late click may be in and out at once, or push an older one out."""
    config = CounterConfig(buffer_length=3)
    story = [*walk(1, 2, 3, step=10.0), Told(0, 4, START + 5, CLICK, 77)]
    counters = counters_of(story, config)
    assert items_of(counters, 0) == [4, 2, 3]


@pytest.mark.parametrize("length", [1, 2, 4, 5, 64])
def test_a_buffer_of_any_length_moves_without_loss(length: int) -> None:
    """A block that is full is replaced by a larger one, or its clicks move down."""
    clicks = list(range(3 * length + 2))
    counters = counters_of(walk(*clicks, step=1.0), CounterConfig(buffer_length=length))
    assert items_of(counters, 0) == clicks[-length:]
