"""What a broker's disk has damaged is fetched three times, named, and can be gone past."""

import random
import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient

from stream.clock import SystemClock
from stream.errors import RecordsDamagedError, RecordTooLargeError
from stream.log.interface import Outgoing, Reader, TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds import fast_fetch
from tests.kafka_broker import KafkaCluster
from tests.kafka_damage import flip_byte
from tests.stream.log.kafka.clusters import own_cluster

pytestmark = pytest.mark.kafka

POLLS = 300


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """Run a broker whose disk is at hand."""
    with own_cluster() as cluster:
        yield cluster


@pytest.fixture
def log(cluster: KafkaCluster) -> Iterator[KafkaLog]:
    log = KafkaLog(cluster.bootstrap_servers, SystemClock())
    yield log
    log.close()


@pytest.fixture
def topic(log: KafkaLog) -> str:
    """Create a topic with four batches of a record each in partition 0, and one in partition 1."""
    name = f"damaged.{uuid.uuid4().hex}"
    log.create_topic(TopicSpec(name=name, partitions=2))
    writer = log.writer(name)
    for n in range(4):
        writer.append([Outgoing(b"k", b"value %d" % n, partition=0)])
    writer.append([Outgoing(b"k", b"other", partition=1)])
    return name


def read_past(reader: Reader, end: int) -> tuple[list[int], list[RecordsDamagedError]]:
    """Read partition 0 to `end`; return its offsets, and the damage that was passed."""
    offsets: list[int] = []
    damage: list[RecordsDamagedError] = []
    for _ in range(POLLS):
        try:
            for batch in reader.poll(100, 0.1):
                offsets += batch.offsets.tolist() if batch.partition == 0 else []
        except RecordsDamagedError as error:
            damage.append(error)
            reader.seek(0, error.next_offset or end)
        if 0 in reader.assignment and reader.position(0) >= end:
            return offsets, damage
    raise AssertionError(f"the reader does not reach {end}")


BYTES = {
    "records": -2,
    "checksum": 17,
    "number of records": 60,
    "last offset": 26,
    "first offset": 3,
    "newest time": 40,
    "codec": 22,
}
"""Which byte of a batch is damaged."""


@pytest.mark.parametrize("where", BYTES)
def test_a_damaged_batch_has_an_end(
    cluster: KafkaCluster, log: KafkaLog, topic: str, where: str
) -> None:
    """It is fetched three times by one client, then named with its range; the rest is read."""
    flip_byte(cluster.nodes[0].data_directory, topic, 0, 1, BYTES[where], 0x07)
    reader = log.reader(topic)
    offsets, damage = read_past(reader, 4)
    assert offsets == [0, 2, 3]
    assert [(one.partition, one.offset, one.next_offset) for one in damage] == [(0, 1, 2)]
    assert log.figures.counts()["fetch_errors"] == 3
    assert log.figures.counts()["reconnects"] == 0
    reader.close()


def test_a_member_stays_in_its_group(cluster: KafkaCluster, log: KafkaLog, topic: str) -> None:
    """Damage moves no partition, and those beside it are read on."""
    flip_byte(cluster.nodes[0].data_directory, topic, 0, 0, -2)
    reader = log.reader(topic, group=topic)
    met = 0
    others: list[bytes | None] = []
    for _ in range(POLLS):
        try:
            others += [v for b in reader.poll(100, 0.1) if b.partition == 1 for v in b.values]
        except RecordsDamagedError:
            met += 1
        if met >= 5 and others:
            break
    assert others == [b"other"]
    assert met >= 5  # it is said at every poll, until a seek
    assert log.figures.counts()["rebalances"] == 1
    assert log.figures.counts()["lost_partitions"] == 0
    reader.close()


def test_the_slower_path_names_damage_too(
    cluster: KafkaCluster, log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client cannot be used on, but the count goes on with the next one."""
    monkeypatch.setattr(fast_fetch, "KNOWN_SEAMS", frozenset())
    flip_byte(cluster.nodes[0].data_directory, topic, 0, 1, -2)
    reader = log.reader(topic)
    offsets, damage = read_past(reader, 4)
    assert offsets == [0]
    assert [(one.partition, one.offset, one.next_offset) for one in damage] == [(0, 1, None)]
    assert "crc" in str(damage[0])
    assert log.figures.counts()["reconnects"] == 3
    reader.close()


class _NoText(str):
    """A header's name that encodes to bytes which are no UTF-8."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xffx\xfe"


@pytest.mark.parametrize("seams", [fast_fetch.KNOWN_SEAMS, frozenset[str]()], ids=["fast", "slow"])
def test_a_headers_name_may_be_any_bytes(
    log: KafkaLog, topic: str, monkeypatch: pytest.MonkeyPatch, seams: frozenset[str]
) -> None:
    """What is no UTF-8 in it is replaced; what was read can be written again."""
    monkeypatch.setattr(fast_fetch, "KNOWN_SEAMS", seams)
    writer = log.writer(topic)
    named = Outgoing(b"k", b"named", ((_NoText("x"), b"v"), ("plain", b"")), partition=0)
    writer.append([named, Outgoing(b"k", b"after", partition=0)])
    reader = log.reader(topic, partitions=[0])
    reader.seek(0, 4)
    headers = []
    for _ in range(POLLS):
        headers += [each for batch in reader.poll(100, 0.1) for each in batch.headers]
        if reader.position(0) >= 6:
            break
    assert headers == [(("�x�", b"v"), ("plain", b"")), ()]
    writer.append([Outgoing(b"k", b"again", headers[0], partition=0)])
    reader.close()


@pytest.mark.parametrize("fence", [None, "one"])
def test_the_broker_may_find_a_record_too_large(cluster: KafkaCluster, fence: str | None) -> None:
    """With compression its size is known only there; the writer names the record and goes on."""
    log = KafkaLog(cluster.bootstrap_servers, SystemClock(), KafkaSettings(compression="zstd"))
    topic = f"narrow.{uuid.uuid4().hex}"
    create(cluster, topic, 10_000)
    writer = log.writer(topic, fence=fence)
    noise = random.Random(1).randbytes(20_000)  # noqa: S311 - no secret
    values = [b"fits", b"x" * 50_000, noise, b"last", noise[:15_000]]
    records = [Outgoing(b"k", value) for value in values]
    for row in (2, 3):
        with pytest.raises(RecordTooLargeError) as caught:
            writer.append(records)
        assert (caught.value.rows, caught.value.limit) == ((row,), None)
        del records[row]
    writer.append(records)
    reader = log.reader(topic)
    found: list[bytes | None] = []
    for _ in range(POLLS):
        found += [value for batch in reader.poll(100, 0.1) for value in batch.values]
        if found[-3:] == [b"fits", b"x" * 50_000, b"last"]:
            break
    assert noise not in found
    assert found == found[-3:] or fence is None  # without a fence a beginning may be there twice
    log.close()


def create(cluster: KafkaCluster, topic: str, max_message_bytes: int) -> None:
    """Create a topic as nobody but an operator does: with a small limit."""
    admin = KafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    configs = {
        "max.message.bytes": str(max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
    }
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1, "configs": configs}})
    admin.close()
