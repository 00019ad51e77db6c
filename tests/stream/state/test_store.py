"""The durable state: what it promises when things go well, and when they do not."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rocksdict import Rdict

from gsr.counters.config import CounterConfig
from gsr.counters.fingerprint import fingerprint
from stream.clock import ManualClock
from stream.errors import (
    StateCorruptError,
    StateError,
    StateLockedError,
    StateMismatchError,
    StorageFullError,
)
from stream.events.clicks.rules import EventRules
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.dump import dump
from stream.state.feed import CHUNK_ROWS
from stream.state.rocks import COLUMN_FAMILIES, plain_errors
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import (
    RULES,
    START,
    Told,
    batch_of,
    part_of,
    watermark_after,
)

CONFIG = CounterConfig(buffer_length=4, neighbours=4)


def open_store(
    path: Path,
    config: CounterConfig = CONFIG,
    *,
    clock: ManualClock | None = None,
    rules: EventRules = RULES,
    options: StoreOptions | None = None,
) -> PartitionStore:
    return PartitionStore.open(path, 3, config, rules, clock or ManualClock(), options)


def shopping(users: int, clicks: int, start: float = START) -> list[Told]:
    """Let users click items in turn."""
    return [
        Told(i % users, (i * 7) % 50, start + i, 0, int(start) + i) for i in range(users * clicks)
    ]


def apply(store: PartitionStore, story: list[Told]) -> None:
    """Apply records at the end of what the store has read."""
    batch = batch_of(story, store.next_offset)
    watermark = max(store.watermark, watermark_after(batch, len(batch)))
    store.apply(batch, watermark, store.next_offset + len(story))


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


def test_users_in_memory_are_bounded_by_bytes_too(tmp_path: Path) -> None:
    """Those touched longest ago leave, and are still known."""
    options = StoreOptions(cached_user_bytes=100_000)
    store = open_store(tmp_path, options=options)
    apply(store, shopping(1000, 3))
    assert (store.overfull, store.due_for_flush()) == (True, True)
    store.flush()
    stats = store.stats()
    assert 0 < stats.users_cached < 1000
    assert stats.user_bytes <= 100_000
    assert (store.overfull, store.due_for_flush()) == (False, False)
    assert all(store.user(f"user-{number}") is not None for number in range(1000))
    store.close()


def test_touched_users(store: PartitionStore) -> None:
    """Accepted and forgotten clicks tell their users; what changed nothing is not told."""
    apply(store, [Told(1, 1, START, 0, 1), Told(2, 1, START, 0, 1), Told(1, 2, START, 0, 2)])
    assert store.drain_touched() == ["user-1", "user-2", "user-1"]
    apply(store, [Told(1, 1, START, 0, 1), Told(9, 0, 0.0, forget=True)])
    assert store.drain_touched() == ["user-9"]
    assert store.drain_touched() == []


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


def test_the_sweep_deletes_who_expired(tmp_path: Path) -> None:
    """Expired users leave the disk in bounded steps, which nobody notices."""
    config = CounterConfig(user_ttl_seconds=100.0, buffer_length=2)
    store = open_store(tmp_path, config)
    apply(store, [Told(user, item, START, 0, item) for user in range(1500) for item in range(3)])
    store.flush()
    for _ in range(3):
        apply(store, [Told(9999, 1, store.watermark + 200.0)])
        store.flush()
    store.close()
    database = Rdict(str(tmp_path / "db"))
    try:
        assert list(database.get_column_family("users").keys()) == [b"user-9999"]
        assert list(database.get_column_family("filters").keys()) == []
    finally:
        database.close()
    assert check(tmp_path) == []


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


def test_a_checkpoint_is_read_while_work_goes_on(tmp_path: Path) -> None:
    """A checkpoint is as of its flush, whatever happens to the state afterwards."""
    store = open_store(tmp_path / "state")
    apply(store, shopping(3, 10))
    store.checkpoint(tmp_path / "deep" / "000001")
    apply(store, shopping(3, 10, START + 500))
    with Checkpoint.open(tmp_path / "deep" / "000001") as checkpoint:
        store.flush()
        apply(store, [Told(0, 0, 0.0, forget=True)])
        store.flush()
        assert checkpoint.meta.next_offset == 30
        assert checkpoint.meta.watermark == START + 29
        assert checkpoint.meta.partition == 3
        assert checkpoint.meta.event_names == tuple(RULES.weights)
        known = checkpoint.buffers(["user-0", "nobody", "user-2"])
        assert list(known) == ["user-0", "user-2"]
        vocabulary = dict(checkpoint.vocabulary())
        last = known["user-0"].items[-1]
        assert vocabulary[int(last)] == f"item-{27 * 7 % 50}"
        assert known["user-0"].fingerprints[-1] == fingerprint(vocabulary[int(last)])
        assert len(checkpoint.feed(0, 1000)) == 30
        assert len(list(checkpoint.users(limit=2))) == 2
        assert checkpoint.items().ids[0] == "item-0"
    with pytest.raises(StateError, match="exists"):
        store.checkpoint(tmp_path / "deep" / "000001")
    store.close()
    assert check(tmp_path / "deep" / "000001") == []


def test_options_survive_a_reopen(tmp_path: Path) -> None:
    """Bloom filters and the one shared block cache are there for every family, each time."""
    for _ in range(2):
        store = open_store(tmp_path)
        apply(store, shopping(50, 5, START + store.next_offset))
        store.flush()
        database = store._database  # noqa: SLF001 -- options show nowhere else
        capacities = set()
        for family in COLUMN_FAMILIES:
            handle = database.family(family)
            capacities.add(handle.property_int_value("rocksdb.block-cache-capacity"))
            del handle
        del database
        assert capacities == {StoreOptions().block_cache_bytes}
        store.close()
    newest = max((tmp_path / "db").glob("OPTIONS-*"))
    written = newest.read_text()
    families = len(COLUMN_FAMILIES) + 1
    assert written.count("filter_policy=bloomfilter") == families
    assert written.count("cache_index_and_filter_blocks=true") == families
    assert written.count("compression=kZSTD") >= families


def test_a_second_owner_is_refused_by_name(store: PartitionStore) -> None:
    """Whoever comes second is told which process to stop."""
    with pytest.raises(StateLockedError, match=str(os.getpid())):
        open_store(store.path)


def test_closed_means_released(tmp_path: Path) -> None:
    """Closing twice is fine, working afterwards is not."""
    store = open_store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StateError):
        apply(store, shopping(1, 1))
    open_store(tmp_path).close()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"half_lives": (60.0,)}, r"state.half_lives_seconds = \[3600.0, 86400.0"),
        ({"buffer_length": 5}, "buffer_length = 4, the configuration says 5"),
        ({"user_ttl_seconds": 60.0}, 'user_ttl_seconds = "off"'),
    ],
)
def test_another_shape_is_refused(tmp_path: Path, changed: dict[str, float], words: str) -> None:
    """A changed setting is named, with both values and the way out."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.close()
    settings: dict[str, object] = {"buffer_length": 4, "neighbours": 4, **changed}
    with pytest.raises(StateMismatchError, match=words) as refusal:
        open_store(tmp_path, CounterConfig(**settings))  # type: ignore[arg-type] # by name
    assert "fresh --state" in str(refusal.value)
    open_store(tmp_path).close()


def test_event_names_may_only_be_added(tmp_path: Path) -> None:
    """State holds codes: a new name at the end is fine, anything else changes meanings."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.close()
    longer = EventRules(weights={**RULES.weights, "gift": 5.0})
    store = open_store(tmp_path, rules=longer)
    apply(store, [Told(0, 2, START + 1, 4, 99)])
    store.flush()
    store.close()
    with pytest.raises(StateMismatchError, match="added at the end"):
        open_store(tmp_path)
    open_store(tmp_path, rules=longer).close()


def test_another_partition_is_refused(tmp_path: Path) -> None:
    """Directories that were exchanged are noticed."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.close()
    with pytest.raises(StateMismatchError, match="partition 3, not of 4"):
        PartitionStore.open(tmp_path, 4, CONFIG, RULES, ManualClock())


def test_another_format_is_refused(tmp_path: Path) -> None:
    """A state of another version of the format is not misread."""
    store = open_store(tmp_path)
    apply(store, shopping(1, 1))
    store.flush()
    store.close()
    database = Rdict(str(tmp_path / "db"))
    database.get_column_family("meta").put(b"format", b"99")
    database.close()
    with pytest.raises(StateMismatchError, match="format 99"):
        open_store(tmp_path)


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    """A file that is not what it was says so in plain words."""
    store = open_store(tmp_path)
    apply(store, shopping(30, 30))
    store.checkpoint(tmp_path / "copy")
    store.close()
    for file in (tmp_path / "copy").glob("*.sst"):
        file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(StateCorruptError, match="gsr state check --live"):
        open_checkpoint_wholly(tmp_path / "copy")
    for file in (tmp_path / "db").glob("MANIFEST-*"):
        file.unlink()
    with pytest.raises(StateCorruptError, match="gsr state check --live"):
        open_store(tmp_path)


def open_checkpoint_wholly(path: Path) -> None:
    with Checkpoint.open(path) as checkpoint:
        checkpoint.items()


def test_nothing_there_is_named(tmp_path: Path) -> None:
    """A directory without a state cannot be read as one."""
    with pytest.raises(StateCorruptError):
        Checkpoint.open(tmp_path / "nowhere")


@pytest.mark.parametrize("blocked", ["state", "state/db"])
def test_an_unwritable_directory(tmp_path: Path, blocked: str) -> None:
    """Where a directory cannot be made, the operator is told; a file in the way stops root too."""
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("in the way")
    with pytest.raises(StateError, match=str(tmp_path / "state")):
        open_store(tmp_path / "state")


def test_a_read_only_file_system(tmp_path: Path) -> None:
    """A place that nobody may write, not even root, is named with the way out."""
    place = Path("/proc/gsr-state")
    with pytest.raises(StorageFullError, match="cannot be read or written"):
        open_store(place)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError(13, "Permission denied"), StorageFullError, "correct the owner"),
        (OSError(30, "Read-only file system"), StorageFullError, "correct the owner"),
        (OSError(28, "No space left on device"), StorageFullError, "free space"),
        (
            FileNotFoundError(2, "No such file or directory"),
            StateCorruptError,
            "state check --live",
        ),
        (Exception("Corruption: bad block"), StateCorruptError, "state check --live"),
        (Exception("IO error: Permission denied"), StorageFullError, "correct the owner"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_place_is_said(
    tmp_path: Path, error: Exception, kind: type[Exception], words: str
) -> None:
    """What may not be touched is not called damaged, whoever noticed it."""
    with pytest.raises(kind, match=words) as told, plain_errors(tmp_path):
        raise error
    assert str(tmp_path) in str(told.value)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from stream.errors import StateError, StorageFullError
from tests.stream.state.test_store import apply, open_store, shopping

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
