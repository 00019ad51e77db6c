"""The durable state: what it promises when things go well, and when they do not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from stream.errors import (
    StateError,
)
from stream.state.checkpoint import Checkpoint
from stream.state.feed import CHUNK_ROWS
from stream.state.store import PartitionStore
from tests.stream.state.click_stories import (
    START,
    Told,
    batch_of,
)
from tests.stream.state.shop import apply, open_store, shopping


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PartitionStore]:
    """Open an empty store."""
    opened = open_store(tmp_path / "state")
    yield opened
    opened.close()


def test_begins_empty(store: PartitionStore) -> None:
    """A fresh directory is a state that has read nothing."""
    assert store.next_offset == 0
    assert store.watermark == -np.inf
    assert store.user("user-0") is None
    assert not store.due_for_flush()


def test_comes_back_after_a_restart(tmp_path: Path) -> None:
    """What was flushed is there again; what was not is read again."""
    store = open_store(tmp_path)
    apply(store, shopping(3, 5))
    store.flush()
    assert store.durable_offset == 15
    before = store.user("user-1")
    apply(store, shopping(3, 1, START + 100))
    assert (store.next_offset, store.durable_offset) == (18, 15)
    store.close()
    store = open_store(tmp_path)
    assert store.next_offset == 15
    assert store.watermark == START + 14
    after = store.user("user-1")
    assert before is not None
    assert after is not None
    assert store.item_ids(after) == ["item-28", "item-49", "item-20", "item-41"]
    for mine, other in (
        (before.items, after.items),
        (before.times, after.times),
        (before.hashes, after.hashes),
        (before.seen, after.seen),
    ):
        assert np.array_equal(mine, other)
    assert store.stats().accepted == 15
    store.close()


def test_offsets_do_not_go_back(store: PartitionStore) -> None:
    """Records that were applied are refused, also when nothing valid came with them."""
    apply(store, shopping(1, 2))
    with pytest.raises(ValueError, match="go on at 2"):
        store.apply(batch_of(shopping(1, 1), 1), START + 1, 2)
    with pytest.raises(ValueError, match="go on at 2"):
        store.apply(batch_of([]), START + 1, 1)


def test_bad_records_move_the_offset(store: PartitionStore) -> None:
    """A batch without a valid click is still something to remember."""
    store.apply(batch_of([]), -np.inf, 7)
    store.flush()
    assert store.durable_offset == 7


def test_another_watermark_is_refused(store: PartitionStore) -> None:
    """Codec and state must agree on the time, or limits would depend on who asks."""
    with pytest.raises(ValueError, match="watermark"):
        store.apply(batch_of(shopping(1, 1)), START + 5, 1)


def test_touched_users(store: PartitionStore) -> None:
    """Accepted and forgotten clicks tell their users; what changed nothing is not told."""
    apply(store, [Told(1, 1, START, 0, 1), Told(2, 1, START, 0, 1), Told(1, 2, START, 0, 2)])
    assert store.drain_touched() == ["user-1", "user-2", "user-1"]
    apply(store, [Told(1, 1, START, 0, 1), Told(9, 0, 0.0, forget=True)])
    assert store.drain_touched() == ["user-9"]
    assert store.drain_touched() == []


def test_the_feed_is_capped_by_bytes(tmp_path: Path) -> None:
    """The oldest full chunks leave and are counted; the rest reads as if nothing had been."""
    config = CounterConfig(feed_bytes=100_000)
    store = open_store(tmp_path, config)
    for part in range(10):
        apply(store, shopping(100, 5, START + part * 500))
        if part % 3 == 0:
            store.flush()
    store.flush()
    stats = store.stats()
    store.close()
    store = open_store(tmp_path, config)
    apply(store, shopping(100, 5, START + 6000))
    store.flush()
    assert store.feed_stop == 5500
    store.close()
    with Checkpoint.open(tmp_path) as checkpoint:
        start = checkpoint.meta.feed_start
        assert start == checkpoint.meta.counters["feed_dropped"]
        assert start >= stats.feed_dropped > 0
        assert start % CHUNK_ROWS == 0
        rows = checkpoint.feed(0, 10_000)
        assert (rows.start, rows.stop) == (start, 5500)
        assert rows.offsets.tolist() == list(range(start, 5500))
        middle = checkpoint.feed(start + 1000, 100)
        assert middle.user_ids == rows.user_ids[1000:1100]
        assert len(checkpoint.feed(5500, 10)) == 0


def test_closed_means_released(tmp_path: Path) -> None:
    """Closing twice is fine, working afterwards is not."""
    store = open_store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StateError):
        apply(store, shopping(1, 1))
    open_store(tmp_path).close()
