"""Retention and compaction remove what they should, a bounded step at a time, and nothing else."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.clock import ManualClock
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.storage_log import StorageLog
from stream.log.embedded.topic_storage import Cleaned
from stream.log.interface import Outgoing, TopicSpec

NOW = 1_700_000_000.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path, clock, active_records=10)
    yield log
    log.close()


def contents(log: StorageLog, topic: str) -> list[tuple[int, int, bytes | None, bytes | None]]:
    """Return partition, offset, key and value of everything that the topic holds."""
    reader = log.reader(topic)
    for partition, start in log.start_offsets(topic).items():
        reader.seek(partition, start)
    found = []
    while batches := reader.poll(1000, 0.0):
        for batch in batches:
            rows = zip(batch.offsets.tolist(), batch.keys, batch.values, strict=True)
            found += [(batch.partition, *row) for row in rows]
    return sorted(found, key=lambda row: row[:2])


def clean_fully(log: StorageLog, topic: str, max_records: int = 20_000) -> Cleaned:
    """Clean until nothing is left to do; return the sums."""
    rounds: list[Cleaned] = []
    while not rounds or rounds[-1].more:
        rounds.append(log.clean(topic, max_records))
    return Cleaned(
        expired=sum(each.expired for each in rounds),
        superseded=sum(each.superseded for each in rounds),
        tombstones=sum(each.tombstones for each in rounds),
        removed_bytes=sum(each.removed_bytes for each in rounds),
    )


def test_old_records_expire_and_young_ones_stay(log: EmbeddedLog, clock: ManualClock) -> None:
    """By the time at which they were appended."""
    log.create_topic(TopicSpec(name="t", retention_seconds=60.0))
    writer = log.writer("t")
    writer.append([Outgoing(None, b"old")] * 5)
    clock.sleep(40.0)
    writer.append([Outgoing(None, b"young")] * 3)
    assert log.clean("t") == Cleaned()
    clock.sleep(30.0)
    assert log.clean("t").expired == 5
    assert log.start_offsets("t") == {0: 5}
    assert [value for *_, value in contents(log, "t")] == [b"young"] * 3


def test_the_oldest_records_over_the_size_limit_leave(log: EmbeddedLog) -> None:
    """Each partition has the limit for itself."""
    log.create_topic(TopicSpec(name="t", partitions=2, retention_bytes=100_000))
    writer = log.writer("t")
    writer.append([Outgoing(None, b"v" * 976, partition=0)] * 300)
    writer.append([Outgoing(None, b"v" * 976, partition=1)] * 50)
    assert clean_fully(log, "t") == Cleaned(expired=200, removed_bytes=200_000)
    assert log.start_offsets("t") == {0: 200, 1: 0}


def test_one_call_does_a_bounded_amount(log: EmbeddedLog, clock: ManualClock) -> None:
    """It says that there is more, until there is not."""
    log.create_topic(TopicSpec(name="t", retention_seconds=60.0))
    log.writer("t").append([Outgoing(None, b"v")] * 10_000)
    clock.sleep(61.0)
    rounds = [log.clean("t", 3000) for _ in range(4)]
    assert [each.expired for each in rounds] == [3000, 3000, 3000, 1000]
    assert [each.more for each in rounds] == [True, True, True, False]


def test_compaction_leaves_the_newest_records_alone(log: EmbeddedLog) -> None:
    """A reader at the end sees each record, repeated keys too."""
    log.create_topic(TopicSpec(name="t", compacted=True))
    log.writer("t").append([Outgoing(b"k", b"%d" % number) for number in range(100)])
    assert clean_fully(log, "t").superseded == 89
    offsets = [offset for _, offset, _, _ in contents(log, "t")]
    assert offsets == list(range(89, 100))


def test_compaction_looks_at_each_record_once(log: EmbeddedLog) -> None:
    """Steps of any size find what earlier steps have passed."""
    log.create_topic(TopicSpec(name="t", compacted=True))
    writer = log.writer("t")
    for turn in range(10):
        writer.append([Outgoing(b"key-%d" % n, b"%d" % turn) for n in range(50)])
    assert clean_fully(log, "t", max_records=7).superseded == 440
    assert clean_fully(log, "t") == Cleaned()


def test_a_tombstone_leaves_after_its_time(log: EmbeddedLog, clock: ManualClock) -> None:
    """Its key may come back as if it had never been there."""
    log.create_topic(TopicSpec(name="t", compacted=True, tombstone_seconds=100.0))
    writer = log.writer("t")
    filler = [Outgoing(b"filler", b"")] * 10
    writer.append([Outgoing(b"k", b"v"), Outgoing(b"k", None), *filler])
    assert clean_fully(log, "t").superseded == 1
    clock.sleep(101.0)
    assert log.clean("t").tombstones == 1
    assert {key for _, _, key, _ in contents(log, "t")} == {b"filler"}
    writer.append([Outgoing(b"k", b"back"), *filler])
    clean_fully(log, "t")
    assert (b"k", b"back") in [row[2:] for row in contents(log, "t")]


def test_a_compacted_topic_with_retention_forgets_the_keys_that_expired(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    """Else the index would grow for ever."""
    log.create_topic(TopicSpec(name="t", compacted=True, retention_seconds=60.0))
    log.writer("t").append([Outgoing(b"%d" % n, b"v") for n in range(50)])
    clean_fully(log, "t")
    clock.sleep(61.0)
    assert clean_fully(log, "t").expired == 50
    log.close()
    with sqlite3.connect(tmp_path / "t.db") as connection:
        assert connection.execute("SELECT count(*) FROM newest_0").fetchone() == (0,)
        assert connection.execute("SELECT bytes FROM partitions").fetchone() == (0,)
    connection.close()


def test_the_file_shrinks_after_most_of_it_expired(
    log: EmbeddedLog, clock: ManualClock, tmp_path: Path
) -> None:
    """But for some spare pages."""
    log.create_topic(TopicSpec(name="t", retention_seconds=60.0))
    writer = log.writer("t")
    for _ in range(40):
        writer.append([Outgoing(None, b"v" * 7000)] * 100)
    clock.sleep(61.0)
    full = (tmp_path / "t.db").stat().st_size
    clean_fully(log, "t")
    assert (tmp_path / "t.db").stat().st_size < 0.4 * full


def test_cleaning_does_not_disturb_a_writer_at_work(tmp_path: Path) -> None:
    """One log appends, another cleans; each key ends with its newest value."""
    logs = [EmbeddedLog(tmp_path, ManualClock(NOW), active_records=5) for _ in range(2)]
    logs[0].create_topic(TopicSpec(name="t", compacted=True))
    done = threading.Event()
    tallies: list[Cleaned] = []

    def keep_cleaning() -> None:
        while not done.is_set():
            tallies.append(logs[1].clean("t", 50))

    thread = threading.Thread(target=keep_cleaning)
    thread.start()
    writer = logs[0].writer("t")
    for turn in range(100):
        writer.append([Outgoing(b"key-%d" % n, b"%d" % turn) for n in range(20)])
    done.set()
    thread.join()
    tallies.append(clean_fully(logs[1], "t"))
    rows = contents(logs[0], "t")
    assert {key: value for _, _, key, value in rows} == {b"key-%d" % n: b"99" for n in range(20)}
    assert sum(each.superseded for each in tallies) == 2000 - len(rows)
    for log in logs:
        log.close()


KEYS = st.integers(0, 5).map(lambda number: b"key-%d" % number)
APPENDS = st.lists(st.tuples(KEYS, st.sampled_from([b"v", b"", None])), min_size=1, max_size=30)
STEPS = st.one_of(
    APPENDS,
    st.floats(1.0, 80.0),  # seconds that pass
    st.integers(1, 40),  # cleaning in steps of so many records
)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=15),
    retention_seconds=st.sampled_from([None, 150.0]),
    compacted=st.booleans(),
)
def test_small_steps_end_where_a_plain_pass_over_a_list_does(
    steps: list[list[tuple[bytes, bytes | None]] | float | int],
    retention_seconds: float | None,
    compacted: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever was appended, buried and cleaned before, both logs hold the same records."""
    clock = ManualClock(NOW)
    logs: list[StorageLog] = [
        EmbeddedLog(tmp_path_factory.mktemp("log"), clock, active_records=4),
        MemoryLog(clock, active_records=4),
    ]
    spec = TopicSpec(
        name="t",
        partitions=2,
        compacted=compacted,
        retention_seconds=retention_seconds,
        tombstone_seconds=100.0,
    )
    for log in logs:
        log.create_topic(spec)
    for step in [*steps, 1000]:
        if isinstance(step, list):
            for log in logs:
                log.writer("t").append([Outgoing(key, value) for key, value in step])
        elif isinstance(step, float):
            clock.sleep(step)
        else:
            removed = [clean_fully(log, "t", step) for log in logs]
            assert removed[0].expired == removed[1].expired
            assert removed[0].superseded == removed[1].superseded
            assert removed[0].tombstones == removed[1].tombstones
            assert contents(logs[0], "t") == contents(logs[1], "t")
            assert logs[0].start_offsets("t") == logs[1].start_offsets("t")
    assert logs[0].end_offsets("t") == logs[1].end_offsets("t")
    for log in logs:
        log.close()
