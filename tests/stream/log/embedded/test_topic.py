"""A topic in a file: what is appended in many ways is read as it is, in bounded pieces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.clock import ManualClock
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.schema import APPENDED_ROWS
from stream.log.interface import Outgoing, TopicSpec

MIB = 1024 * 1024


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path, ManualClock(1e9))
    log.create_topic(TopicSpec(name="t"))
    yield log
    log.close()


@pytest.mark.parametrize(
    "count", [1, APPENDED_ROWS - 1, APPENDED_ROWS, APPENDED_ROWS + 1, 3 * APPENDED_ROWS]
)
def test_whole_statements_and_the_rest_are_one_append(log: EmbeddedLog, count: int) -> None:
    """With and without headers, keys and values."""
    records = [
        Outgoing(
            None if n % 3 == 0 else b"k%d" % n,
            None if n % 5 == 0 else b"v%d" % n,
            (("h", b"%d" % n),) if n % 7 == 0 else (),
        )
        for n in range(count)
    ]
    assert log.writer("t").append(records) == [(0, n) for n in range(count)]
    (batch,) = log.reader("t").poll(count + 1, 0.0)
    assert batch.offsets.tolist() == list(range(count))
    read = zip(batch.keys, batch.values, batch.headers, strict=True)
    assert list(read) == [(record.key, record.value, record.headers) for record in records]


def test_large_values_end_a_batch_early(log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory does not depend on how large values are."""
    monkeypatch.setattr("stream.log.embedded.topic._BATCH_BYTES", 10 * MIB)
    log.writer("t").append([Outgoing(None, b"v" * MIB)] * 100)
    reader = log.reader("t")
    sizes = [len(batch) for _ in range(2) for batch in reader.poll(1000, 0.0)]
    assert sizes == [64, 36]


def test_a_clock_that_is_set_back_does_not_set_back_append_times(tmp_path: Path) -> None:
    """Else a search by time would go astray."""
    clock = ManualClock(1000.0)
    log = EmbeddedLog(tmp_path, clock)
    log.create_topic(TopicSpec(name="t"))
    writer = log.writer("t")
    for step in (0.0, -500.0, 501.0):
        clock.sleep(step)
        writer.append([Outgoing(None, b"v")])
    (batch,) = log.reader("t").poll(10, 0.0)
    assert batch.append_times.tolist() == [1000.0, 1000.0, 1001.0]
    assert log.offsets_at("t", 1000.5) == {0: 2}
    log.close()


def test_a_time_is_found_across_what_compaction_removed(tmp_path: Path) -> None:
    """The first record at or after it, whatever offsets are missing before."""
    clock = ManualClock(1000.0)
    log = EmbeddedLog(tmp_path, clock, active_records=0)
    log.create_topic(TopicSpec(name="t", compacted=True))
    writer = log.writer("t")
    for n in range(9):
        writer.append([Outgoing(b"same" if n % 4 else b"%d" % n, b"v")])
        clock.sleep(1.0)
    log.clean("t")
    found = {time: log.offsets_at("t", 1000.0 + time)[0] for time in range(10)}
    assert found == {0: 0, 1: 4, 2: 4, 3: 4, 4: 4, 5: 7, 6: 7, 7: 7, 8: 8, 9: 9}
    log.close()
