"""A flush: everything that changed and the offset, in one write."""

import resource
import subprocess
import sys
from pathlib import Path

from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.dump import dump
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import (
    START,
    Told,
    batch_of,
    part_of,
    watermark_after,
)
from tests.stream.state.shop import apply, open_store, shopping


def test_due_by_age_and_by_size(tmp_path: Path) -> None:
    """A flush is due some seconds after the first change, or when much has changed."""
    clock = ManualClock()
    options = StoreOptions(flush_seconds=2.0, flush_bytes=50_000, cached_users=1000)
    store = open_store(tmp_path, clock=clock, options=options)
    apply(store, shopping(1, 1))
    assert not store.due_for_flush()
    clock.sleep(2.0)
    assert store.due_for_flush()
    store.flush()
    assert not store.due_for_flush()
    apply(store, shopping(500, 3))
    assert store.due_for_flush()
    store.flush()
    apply(store, [Told(user, 1, START) for user in range(10_000, 11_300)])
    assert store.due_for_flush(), "more users than the cache may hold"
    store.flush()
    assert store.stats().users_cached == 1000
    store.close()


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    """A forgotten user's buffer and filter go; the feed tells it, also of a stranger."""
    store = open_store(tmp_path)
    apply(store, shopping(2, 8))
    store.flush()
    apply(store, [Told(1, 0, 0.0, forget=True), Told(7, 0, 0.0, forget=True)])
    store.flush()
    store.close()
    with Checkpoint.open(tmp_path) as checkpoint:
        assert [user_id for user_id, _ in checkpoint.users()] == ["user-0"]
        rows = checkpoint.feed(16, 10)
        assert rows.user_ids == ["user-1", "user-7"]
        assert rows.events.tolist() == [255, 255]
        assert rows.items.tolist() == [-1, -1]
    assert [key for family, key, _ in dump(tmp_path) if family == "filters"] == [b"user-0"]


def test_items_leave_the_disk(tmp_path: Path) -> None:
    """What had to leave for room is gone from vocabulary and graph, and stays gone."""
    config = CounterConfig(max_items=20, neighbours=4)
    store = open_store(tmp_path, config)
    for part in range(10):
        apply(
            store, [Told(0, part * 5 + i, START + part * 5 + i, 0, part * 5 + i) for i in range(5)]
        )
        store.flush()
    assert store.stats().items_removed == 30
    store.close()
    with Checkpoint.open(tmp_path) as checkpoint:
        assert checkpoint.vocabulary(45) == [(i, f"item-{i}") for i in range(45, 50)]
        assert [index for index, _ in checkpoint.vocabulary()] == list(range(30, 50))
    assert check(tmp_path) == []


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from stream.errors import StateError, StorageFullError
from tests.stream.state.shop import apply, open_store, shopping

store = open_store(Path(sys.argv[1]))
apply(store, shopping(100, 10))
store.flush()
offset = store.durable_offset
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    for round in range(100):
        apply(store, shopping(2000, 2, store.watermark + 1))
        store.flush()
        offset = store.durable_offset
except StorageFullError as error:
    assert "free space" in str(error), error
    try:
        store.flush()
    except StateError as refusal:
        assert "failed earlier" in str(refusal)
        print(offset, flush=True)
store.close()
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """When space runs out the store says so, refuses to go on, and restarts without a trace.

    A limit on the size of files stands for the full disk: it holds for root too.
    """
    assert resource.RLIM_INFINITY == -1
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    offset = int(done.stdout)
    store = open_store(tmp_path)
    assert store.next_offset == offset
    apply(store, shopping(2000, 2, store.watermark + 1))
    store.flush()
    store.close()
    assert check(tmp_path) == []


def test_cutting_a_batch_makes_no_difference(tmp_path: Path) -> None:
    """Two stores that read the same records in other portions hold the same bytes."""
    story = shopping(40, 100)
    batch = batch_of(story)
    for name, portion in (("a", 4000), ("b", 333)):
        store = open_store(tmp_path / name, options=StoreOptions(cached_users=10))
        for start in range(0, len(batch), portion):
            stop = min(start + portion, len(batch))
            store.apply(part_of(batch, start, stop), watermark_after(batch, stop), stop)
            store.flush()
        store.close()
    assert list(dump(tmp_path / "a")) == list(dump(tmp_path / "b"))


def test_a_flush_without_changes_writes_nothing(tmp_path: Path) -> None:
    """It is not even counted."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.flush()
    assert store.stats().flushes == 1
    store.close()


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """Values that were destroyed on disk stay so where nothing touches them."""
    store = open_store(tmp_path)
    apply(store, shopping(3, 2))
    store.flush()
    users = store._database.family("users")  # noqa: SLF001 -- written behind the store's back
    for number in range(3):
        users.put(f"user-{number}".encode(), b"destroyed")
    apply(store, [Told(1, 1, START + 50, 0, 99)])
    store.flush()
    whole = [users.get(f"user-{number}".encode()) != b"destroyed" for number in range(3)]
    assert whole == [False, True, False]
    del users
    store.close()
