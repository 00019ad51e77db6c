"""Several processes share an embedded log; a killed or a starved one harms nobody."""

import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import pytest

from stream.clock import SystemClock
from stream.errors import LogFullError
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing, RecordBatch, TopicSpec
from tests.stream.log import appender
from tests.stream.log.appender import DISK_FULL_STATUS, TOPIC

PARTITIONS = 3
RECORDS = 20  # of each append


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    log = EmbeddedLog(tmp_path / "log", SystemClock())
    log.create_topic(TopicSpec(name=TOPIC, partitions=PARTITIONS))
    log.close()
    return tmp_path / "log"


def start_appender(directory: Path, name: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, appender.__file__, str(directory), name, *options],
        cwd=Path(__file__).parents[4],
        env={"PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_contiguous(batches: list[RecordBatch]) -> None:
    """Each partition's offsets count up from zero."""
    offsets: defaultdict[int, list[int]] = defaultdict(list)
    for batch in batches:
        offsets[batch.partition] += batch.offsets.tolist()
    for found in offsets.values():
        assert found == list(range(len(found)))


def batches_of(batches: list[RecordBatch]) -> Counter[tuple[str, int]]:
    """Count the records of each (writer, append); no record may be there twice."""
    values = [value.decode().strip() for batch in batches for value in batch.values if value]
    assert len(set(values)) == len(values)
    counts: Counter[tuple[str, int]] = Counter()
    for value in values:
        name, number, _ = value.split(":")
        counts[name, int(number)] += 1
    return counts


def read_all(directory: Path) -> list[RecordBatch]:
    log = EmbeddedLog(directory, SystemClock())
    reader = log.reader(TOPIC)
    batches: list[RecordBatch] = []
    while some := reader.poll(1000, 0.0):
        batches += some
    log.close()
    return batches


def test_writers_and_a_reader_in_several_processes(directory: Path) -> None:
    """The reader, at work while three others append, gets each record once and in order."""
    names = ["a", "b", "c"]
    writers = [start_appender(directory, name, "--batches", "50") for name in names]
    log = EmbeddedLog(directory, SystemClock())
    reader = log.reader(TOPIC)
    batches: list[RecordBatch] = []
    while sum(len(batch) for batch in batches) < 3 * 50 * RECORDS:
        some = reader.poll(100, 60.0)
        assert some, "nothing came for a minute"
        batches += some
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert reader.poll(100, 0.0) == []
    log.close()
    check_contiguous(batches)
    assert batches_of(batches) == {(name, n): RECORDS for name in names for n in range(50)}
    for name in names:
        for partition in range(PARTITIONS):
            numbers = [
                int(value.split(b":")[1])
                for batch in batches
                if batch.partition == partition
                for value in batch.values
                if value and value.startswith(name.encode() + b":")
            ]
            assert numbers == sorted(numbers)


def test_a_killed_writer_leaves_whole_appends_only(directory: Path) -> None:
    """Twelve times: everything acknowledged is there, nothing is there in part."""
    random = Random(7)  # noqa: S311 - moments, not secrets
    acknowledged: set[tuple[str, int]] = set()
    for run in range(12):
        name = f"run-{run}"
        writer = start_appender(directory, name)
        assert writer.stdout is not None
        for _ in range(random.randrange(1, 60)):
            acknowledged.add((name, int(writer.stdout.readline())))
        writer.kill()
        rest, _ = writer.communicate()
        acknowledged |= {
            (name, int(line)) for line in rest.splitlines(keepends=True) if "\n" in line
        }
        counts = batches_of(read_all(directory))
        assert set(counts.values()) == {RECORDS}
        assert acknowledged <= set(counts)
    check_contiguous(read_all(directory))


def test_a_full_disk_refuses_an_append_whole(directory: Path) -> None:
    """What was acknowledged stays readable, and with space again the offsets go on."""
    limited = ["--value-bytes", "2000", "--file-bytes", str(2 * 1024 * 1024)]
    writer = start_appender(directory, "full", *limited)
    output, messages = writer.communicate(timeout=60)
    assert writer.returncode == DISK_FULL_STATUS, messages
    assert "free space" in messages
    assert str(directory / "t.db") in messages
    acknowledged = {("full", int(line)) for line in output.splitlines()}
    batches = read_all(directory)
    check_contiguous(batches)
    counts = batches_of(batches)
    assert set(counts) == acknowledged
    assert set(counts.values()) == {RECORDS}
    ends: Counter[int] = Counter()
    for batch in batches:
        ends[batch.partition] += len(batch)
    log = EmbeddedLog(directory, SystemClock())
    places = log.writer(TOPIC).append(
        [Outgoing(None, b"more", partition=p) for p in range(PARTITIONS)]
    )
    assert places == [(partition, ends[partition]) for partition in range(PARTITIONS)]
    log.close()


def test_a_topic_that_does_not_fit_on_the_disk_is_not_there_in_part(tmp_path: Path) -> None:
    """It can be created once there is space."""
    program = (
        "import resource, sys; from pathlib import Path; from stream.clock import SystemClock\n"
        "from stream.errors import LogFullError\n"
        "from stream.log.embedded.log import EmbeddedLog\n"
        "from stream.log.interface import TopicSpec\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "log = EmbeddedLog(Path(sys.argv[1]), SystemClock())\n"
        "try: log.create_topic(TopicSpec(name='t'))\n"
        "except LogFullError as error: print('full:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("full:")
    log = EmbeddedLog(tmp_path, SystemClock())
    assert log.topics() == {}
    log.create_topic(TopicSpec(name="t"))
    assert log.end_offsets("t") == {0: 0}
    log.close()


def test_a_directory_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LogFullError, match="file/log"):
        EmbeddedLog(tmp_path / "file" / "log", SystemClock()).create_topic(TopicSpec(name="t"))
