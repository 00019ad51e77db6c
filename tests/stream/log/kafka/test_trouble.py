"""Brokers that restart, hang and vanish: what waits ends, and what was promised holds."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from kafka import KafkaProducer

from stream.clock import SystemClock
from stream.errors import FencedError, LogUnavailableError, RecordTooLargeError
from stream.log.interface import Log, Outgoing, Reader, TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds.transactions import commit
from stream.log.kafka.writing import writer as kafka_writer
from stream.log.kafka.writing.writer import FencedKafkaWriter
from tests.kafka_broker import KafkaCluster
from tests.stream.log.kafka.clusters import own_cluster

pytestmark = pytest.mark.kafka

SETTINGS = KafkaSettings(session_timeout_seconds=6.0, timeout_seconds=4.0)
PATIENCE_SECONDS = 60.0
APPENDED = 15
ABORTED_WITHIN_SECONDS = 10.0  # after a transaction's time is up: a broker's default


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """Run a broker of our own, to be ill-treated."""
    with own_cluster() as cluster:
        yield cluster


@pytest.fixture
def log(cluster: KafkaCluster) -> Iterator[KafkaLog]:
    log = KafkaLog(cluster.bootstrap_servers, SystemClock(), SETTINGS)
    yield log
    log.close()
    if not cluster.nodes[0].running:
        cluster.restart()
    cluster.nodes[0].resume()


def create(log: Log, name: str, partitions: int = 1) -> str:
    log.create_topic(TopicSpec(name=name, partitions=partitions))
    return name


def numbered(first: int, count: int) -> list[Outgoing]:
    return [Outgoing(b"k", b"%d" % n) for n in range(first, first + count)]


def read(reader: Reader, count: int) -> list[bytes | None]:
    """Poll, through passing trouble, until `count` records have come."""
    values: list[bytes | None] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(values) < count and time.monotonic() < deadline:
        try:
            for batch in reader.poll(1000, 0.2):
                values += batch.values
        except LogUnavailableError:
            continue
    return values


def read_to_the_end(log: Log, topic: str) -> list[bytes | None]:
    """Return whatever the topic's only partition holds by now."""
    reader, end = log.reader(topic), log.end_offsets(topic)[0]
    values: list[bytes | None] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reader.position(0) < end:
        assert time.monotonic() < deadline
        values += [value for batch in reader.poll(1000, 0.2) for value in batch.values]
    return values


def append(log: Log, topic: str, records: list[Outgoing]) -> None:
    """Append, again and again through passing trouble."""
    writer = log.writer(topic)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            writer.append(records)
        except LogUnavailableError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def test_readers_and_writers_go_on_after_a_restart(cluster: KafkaCluster, log: KafkaLog) -> None:
    """No record is lost or read twice by a reader that went on."""
    topic = create(log, "restart")
    writer, readers = log.writer(topic), [log.reader(topic), log.reader(topic, group="restart")]
    writer.append(numbered(0, 5))
    for reader in readers:
        assert read(reader, 5) == [b"%d" % n for n in range(5)]
    cluster.nodes[0].kill()
    cluster.restart()
    append(log, topic, numbered(5, 5))
    for reader in readers:
        assert read(reader, 5) == [b"%d" % n for n in range(5, 10)]
    log.save_positions("restart", topic, {0: 10})
    assert log.saved_positions("restart", topic) == {0: 10}


def test_every_call_ends_while_all_brokers_are_gone(cluster: KafkaCluster, log: KafkaLog) -> None:
    """Each says that it is passing, within twice its bound; afterwards all works again."""
    topic = create(log, "gone")
    log.writer(topic).append(numbered(0, 1))
    unfenced, fenced = log.writer(topic), log.writer(topic, fence="one")
    fenced.append(numbered(1, 1))
    reader, member = log.reader(topic), log.reader(topic, group="gone")
    assert len(read(member, 2)) == 2
    cluster.nodes[0].kill()
    calls: dict[str, Callable[[], object]] = {
        "end_offsets": lambda: log.end_offsets(topic),
        "topics": log.topics,
        "create": lambda: create(log, "gone.other"),
        "saved": lambda: log.saved_positions("gone", topic),
        "save as a member": lambda: log.save_positions("gone", topic, {0: 1}),
        "save alone": lambda: log.save_positions("another", topic, {0: 1}),
        "append": lambda: unfenced.append(numbered(2, 1)),
        "append fenced": lambda: fenced.append(numbered(2, 1)),
        "writer": lambda: log.writer(topic, fence="two"),
        "reader": lambda: log.reader(topic),
    }
    outcomes: dict[str, Exception | None] = {}
    seconds: dict[str, float] = {}

    def run(name: str) -> None:
        began = time.monotonic()
        try:
            calls[name]()
            outcomes[name] = None
        except Exception as error:  # noqa: BLE001 - looked at below
            outcomes[name] = error
        seconds[name] = time.monotonic() - began

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert set(outcomes) == set(calls)
    assert {name: type(error) for name, error in outcomes.items()} == dict.fromkeys(
        calls, LogUnavailableError
    )
    assert max(seconds.values()) < 10 * SETTINGS.timeout_seconds, seconds
    cluster.restart()
    assert len(read(reader, 2)) == 2
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fenced.append(numbered(3, 1))
            unfenced.append(numbered(4, 1))
            break
        except LogUnavailableError:
            assert time.monotonic() < deadline
    assert b"4" in read(member, 2)


def test_silence_with_the_brokers_gone_is_told_from_an_idle_topic(
    cluster: KafkaCluster, log: KafkaLog
) -> None:
    """A reader that hears nothing asks, and says what it finds."""
    topic = create(log, "silence")
    reader = log.reader(topic)
    assert reader.poll(10, 0.1) == []
    cluster.nodes[0].pause()
    with pytest.raises(LogUnavailableError):  # noqa: PT012 - it takes a while
        for _ in range(60):
            reader.poll(10, 1.0)
    cluster.nodes[0].resume()
    append(log, topic, numbered(0, 1))
    assert read(reader, 1) == [b"0"]


def test_a_record_larger_than_a_fetch_is_read(cluster: KafkaCluster, log: KafkaLog) -> None:
    """A partition does not stop at it."""
    topic = create(log, "large")
    writer = log.writer(topic)
    writer.append([Outgoing(b"k", b"x" * 3_000_000), Outgoing(b"k", b"after")])
    small = KafkaSettings(fetch_bytes=10_000, partition_fetch_bytes=1_000)
    other = KafkaLog(cluster.bootstrap_servers, SystemClock(), small)
    assert [len(value or b"") for value in read(other.reader(topic), 2)] == [3_000_000, 5]
    other.close()
    with pytest.raises(RecordTooLargeError, match=r"4194304.*max\.message\.bytes") as caught:
        writer.append([*numbered(0, 2), Outgoing(b"k", b"x" * 5_000_000)])
    assert caught.value.rows == (2,)
    writer.append(numbered(0, 1))


def test_a_writer_that_died_in_an_append_holds_readers_up_only_until_its_successor(
    cluster: KafkaCluster, log: KafkaLog
) -> None:
    """What it had not finished is never seen."""
    topic = create(log, "unfinished")
    first = log.writer(topic, fence="one")
    assert isinstance(first, FencedKafkaWriter)
    first.append(numbered(0, 1))
    torn = first._client()  # noqa: SLF001 - as if the process had died in `append`
    torn.begin_transaction()
    torn.send(topic, (b"torn",), (b"k",))
    torn.flush()
    end = log.end_offsets(topic)[0]
    log.writer(topic, fence="one").append(numbered(1, 1))
    assert read(log.reader(topic), 2) == [b"0", b"1"]
    assert log.end_offsets(topic)[0] > end


def test_fenced_writers_go_on_after_a_long_outage(cluster: KafkaCluster, log: KafkaLog) -> None:
    """Wherever the outage met them; each append is there as a whole or not at all."""
    topic = create(log, "outage")
    writers = [log.writer(topic, fence=f"{n}") for n in range(6)]
    attempts, acknowledged = itertools.count(), list[bytes]()
    went_on_at = [0.0] * len(writers)
    stop = threading.Event()

    def go_on(number: int) -> None:
        while not stop.is_set():
            value = b"%d" % next(attempts)
            with suppress(LogUnavailableError):
                writers[number].append([Outgoing(b"%d" % n, value) for n in range(APPENDED)])
                acknowledged.append(value)
                went_on_at[number] = time.monotonic()

    threads = [threading.Thread(target=go_on, args=(n,), daemon=True) for n in range(len(writers))]
    for thread in threads:
        thread.start()
    while min(went_on_at) == 0.0:
        time.sleep(0.05)
    cluster.nodes[0].kill()
    time.sleep(2.5 * SETTINGS.timeout_seconds)  # the outage: longer than a transaction may take
    cluster.restart()
    back = time.monotonic()
    while min(went_on_at) < back and time.monotonic() < back + PATIENCE_SECONDS:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert min(went_on_at) > back
    seen = Counter(read_to_the_end(log, topic))
    assert set(seen.values()) == {APPENDED}
    assert set(acknowledged) <= set(seen)


def test_a_transaction_that_took_too_long_is_no_takeover(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka says the same of both; the writer finds out which it was."""
    topic = create(log, "slow")
    writer = log.writer(topic, fence="one")

    def late(producer: KafkaProducer, timeout_seconds: float) -> None:
        monkeypatch.setattr(kafka_writer, "commit", commit)
        time.sleep(2 * SETTINGS.timeout_seconds + ABORTED_WITHIN_SECONDS + 1.0)
        commit(producer, timeout_seconds)

    monkeypatch.setattr(kafka_writer, "commit", late)
    writer.append(numbered(0, 1))
    assert log.figures.counts()["reconnects"] == 1
    assert read(log.reader(topic), 1) == [b"0"]


def test_a_writer_in_trouble_locks_out_nobody_who_came_later(log: KafkaLog) -> None:
    """It would take up where it was, but somebody else has."""
    topic = create(log, "later")
    first = log.writer(topic, fence="one")
    assert isinstance(first, FencedKafkaWriter)
    first.append(numbered(0, 1))
    first._give_up()  # noqa: SLF001 - as after trouble
    second = log.writer(topic, fence="one")
    for _ in range(2):
        with pytest.raises(FencedError):
            first.append(numbered(1, 1))
    second.append(numbered(2, 1))
    assert read(log.reader(topic), 2) == [b"0", b"2"]
