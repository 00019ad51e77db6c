"""A topic's file: told from other files, bounded, and shared with patience."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stream.clock import ManualClock
from stream.errors import LogCorruptError, LogError, LogUnavailableError
from stream.log.embedded import file
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing, TopicSpec

MIB = 1024 * 1024


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path, ManualClock(1e9), busy_timeout_seconds=0.05)
    log.create_topic(TopicSpec(name="t"))
    yield log
    log.close()


def reopened(directory: Path) -> EmbeddedLog:
    return EmbeddedLog(directory, ManualClock(1e9))


def wal_bytes(directory: Path) -> int:
    return (directory / "t.db-wal").stat().st_size


def test_everything_survives_a_reopening(log: EmbeddedLog, tmp_path: Path) -> None:
    """Settings, records, fences, positions, and the time that must not go back."""
    spec = TopicSpec(name="u", partitions=2, compacted=True, retention_bytes=5)
    log.create_topic(spec)
    old = log.writer("t", fence="f")
    old.append([Outgoing(b"k", b"v", (("a", b"b"),))])
    log.save_positions("g", "t", {0: 1})
    log.close()
    again = EmbeddedLog(tmp_path, ManualClock(5.0))
    assert again.topics() == {"t": TopicSpec(name="t"), "u": spec}
    assert again.saved_positions("g", "t") == {0: 1}
    assert again.writer("t").append([Outgoing(None, b"w")]) == [(0, 1)]
    (batch,) = again.reader("t").poll(10, 0.0)
    assert batch.append_times.tolist() == [1e9, 1e9]
    again.close()


def test_a_file_from_before_there_were_ids_gets_one(log: EmbeddedLog, tmp_path: Path) -> None:
    """Once, whoever asks; programs that know nothing of ids go on with the file."""
    log.writer("t").append([Outgoing(b"k", b"v")])
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("DROP TABLE identity")
    other = reopened(tmp_path)
    given = other.topic_ids(["t"])
    assert given["t"]
    assert log.topic_ids(["t"]) == given
    assert other.end_offsets("t") == {0: 1}
    other.set_retention("t", seconds=60.0, size_bytes=None)
    assert log.topic_ids(["t"]) == given
    other.close()


def test_a_directory_that_was_emptied_and_refilled_is_noticed(
    log: EmbeddedLog, tmp_path: Path
) -> None:
    """What is open stays with the old topic: nothing is read from, or written to, two of them."""
    before = log.topic_ids(["t"])
    writer, reader = log.writer("t"), log.reader("t")
    writer.append([Outgoing(b"k", b"old")])
    for path in tmp_path.glob("t.db*"):
        path.unlink()
    assert log.topic_ids(["t"]) == {}
    other = reopened(tmp_path)
    other.create_topic(TopicSpec(name="t"))
    other.writer("t").append([Outgoing(b"k", b"new")] * 5)
    assert log.topic_ids(["t"]) == other.topic_ids(["t"])
    assert log.topic_ids(["t"]) != before
    assert [batch.values for batch in reader.poll(10, 0.0)] == [(b"old",)]
    assert reader.poll(10, 0.0) == []
    with pytest.raises(LogUnavailableError, match="made anew"):
        writer.append([Outgoing(b"k", b"lost")])
    other.close()


@pytest.mark.parametrize("name", ["with space", "100%", "a#b?c=d&e", "ünïcode", "quote'\""])
def test_any_directory_name_will_do(tmp_path: Path, name: str) -> None:
    """Also one that means something in a URL."""
    log = reopened(tmp_path / name)
    log.create_topic(TopicSpec(name="t"))
    log.writer("t").append([Outgoing(None, b"v")])
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_change_of_the_working_directory_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that comes later finds the same files."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    log = reopened(Path("log"))
    log.create_topic(TopicSpec(name="t"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    thread = threading.Thread(target=lambda: log.writer("t").append([Outgoing(None, b"v")]))
    thread.start()
    thread.join()
    assert log.end_offsets("t") == {0: 1}
    log.close()


def test_a_busy_file_is_unavailable_for_now(log: EmbeddedLog, tmp_path: Path) -> None:
    """The same append succeeds once the other process is done."""
    writer = log.writer("t")
    with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogUnavailableError, match="try again") as caught:
            writer.append([Outgoing(None, b"v")])
        assert caught.value.retriable
        assert log.reader("t").poll(10, 0.0) == []
        other.execute("ROLLBACK")
    assert writer.append([Outgoing(None, b"v")]) == [(0, 0)]


def test_busy_readers_do_not_let_the_write_ahead_log_grow(
    log: EmbeddedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though two threads never stop reading."""
    monkeypatch.setattr(file, "_WAL_LIMIT_BYTES", MIB // 2)
    monkeypatch.setattr(file, "_CHECKPOINT_PAGES", 10**9)
    monkeypatch.setattr(file, "_CHECKPOINT_TRIES", 250)
    log.close()
    own = EmbeddedLog(tmp_path, ManualClock(1e9))
    stop = threading.Event()

    def keep_reading() -> None:
        reader = own.reader("t")
        while not stop.is_set():
            if not reader.poll(500, 0.0):
                reader.seek(0, 0)

    threads = [threading.Thread(target=keep_reading) for _ in range(2)]
    for thread in threads:
        thread.start()
    writer = own.writer("t")
    largest = 0
    for _ in range(60):
        writer.append([Outgoing(None, b"v" * 1000)] * 100)
        largest = max(largest, wal_bytes(tmp_path))
    stop.set()
    for thread in threads:
        thread.join()
    own.close()
    assert largest < 2 * MIB  # 6 MiB were appended


def test_a_reader_that_stays_delays_appends_now_and_then_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's open query: the log goes on, and cleaning shrinks the file once it is gone."""
    monkeypatch.setattr(file, "_WAL_LIMIT_BYTES", MIB)
    monkeypatch.setattr(file, "_CHECKPOINT_TRY_MILLISECONDS", 1)
    log = EmbeddedLog(tmp_path, ManualClock(1e9))
    log.create_topic(TopicSpec(name="t"))
    writer = log.writer("t")
    writer.append([Outgoing(None, b"v")] * 10)
    with closing(sqlite3.connect(tmp_path / "t.db")) as stranger:
        cursor = stranger.execute("SELECT * FROM records_0")
        cursor.fetchone()
        for _ in range(40):
            writer.append([Outgoing(None, b"v" * 1000)] * 100)
        assert wal_bytes(tmp_path) > 3 * MIB
        cursor.close()
    log.clean("t")
    assert wal_bytes(tmp_path) == 0
    assert log.end_offsets("t") == {0: 4010}
    log.close()


def test_garbage_is_not_taken_for_a_topic(tmp_path: Path) -> None:
    """The message says which file and what to do."""
    (tmp_path / "t.db").write_bytes(b"hello, world" * 1000)
    log = reopened(tmp_path)
    with pytest.raises(LogCorruptError, match=r"t\.db .*put back a backup"):
        log.reader("t")
    log.close()


@pytest.mark.parametrize("statement", ["CREATE TABLE x (y)", "PRAGMA user_version = 1"])
def test_another_program_s_database_is_not_taken_for_a_topic(
    tmp_path: Path, statement: str
) -> None:
    """Though it is SQLite's."""
    with closing(sqlite3.connect(tmp_path / "t.db")) as other:
        other.execute(statement)
    log = reopened(tmp_path)
    with pytest.raises(LogCorruptError, match="not a topic's file"):
        log.topics()
    log.close()


def test_another_format_is_refused_with_both_numbers(log: EmbeddedLog, tmp_path: Path) -> None:
    """Rather than misread."""
    log.close()
    with closing(sqlite3.connect(tmp_path / "t.db")) as other:
        other.execute("PRAGMA user_version = 99")
    log = reopened(tmp_path)
    with pytest.raises(LogCorruptError, match=r"format 99.*reads 1"):
        log.writer("t")
    log.close()


def test_a_damaged_file_is_reported_by_whoever_reads_it(tmp_path: Path) -> None:
    """Not as an empty topic."""
    log = reopened(tmp_path)
    log.create_topic(TopicSpec(name="t"))
    log.writer("t").append([Outgoing(None, b"v" * 1000)] * 1000)
    log.close()
    path = tmp_path / "t.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xaa" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    log = reopened(tmp_path)
    reader = log.reader("t")
    with pytest.raises(LogCorruptError, match="damaged"):
        reader.poll(1000, 0.0)
    log.close()


def test_a_half_made_topic_of_a_killed_process_is_no_topic(tmp_path: Path) -> None:
    """And does not stand in the way of the next one."""
    (tmp_path / ".new").write_bytes(b"half")
    (tmp_path / ".new-wal").write_bytes(b"half")
    log = reopened(tmp_path)
    assert log.topics() == {}
    log.create_topic(TopicSpec(name="t"))
    assert list(log.topics()) == ["t"]
    log.close()


def test_two_that_create_a_topic_at_once_agree(tmp_path: Path) -> None:
    """Eight threads, each with a log of its own."""
    errors: list[BaseException] = []

    def create() -> None:
        log = reopened(tmp_path)
        try:
            log.create_topic(TopicSpec(name="t", partitions=4))
            log.writer("t").append([Outgoing(b"k", b"v", partition=1)])
        except LogError as error:
            errors.append(error)
        finally:
            log.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = reopened(tmp_path)
    assert errors == []
    assert log.end_offsets("t") == {0: 0, 1: 8, 2: 0, 3: 0}
    log.close()


def test_a_closed_log_says_so(log: EmbeddedLog) -> None:
    """To its readers and writers too."""
    reader, writer = log.reader("t"), log.writer("t")
    log.close()
    with pytest.raises(LogError, match="closed"):
        reader.poll(1, 0.0)
    with pytest.raises(LogError, match="closed"):
        writer.append([Outgoing(None, b"v")])
    with pytest.raises(LogError, match="closed"):
        log.topics()
