"""The Kafka log keeps the contract, on a real broker."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from stream.clock import Clock
from stream.log.interface import Log, Outgoing
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaAddress
from tests.stream.log.contract import LogContract, LogFactory, poll_all

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="session")
def kafka_admin(kafka_broker: KafkaAddress) -> Iterator[KafkaAdminClient]:
    """Do what only an operator does."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    yield admin
    admin.close()


class TestKafkaLog(LogContract):
    """The contract, in real time."""

    @pytest.fixture(autouse=True)
    def _operator(self, kafka_admin: KafkaAdminClient) -> None:
        self.admin = kafka_admin

    @pytest.fixture
    def log_factory(self, clock: Clock, kafka_broker: KafkaAddress) -> Iterator[LogFactory]:
        logs: list[KafkaLog] = []

        def open_one() -> KafkaLog:
            logs.append(KafkaLog(kafka_broker.bootstrap_servers, clock))
            return logs[-1]

        yield open_one
        for log in logs:
            log.close()

    def expire(self, log: Log, clock: Clock, topic: str) -> None:
        """Delete as retention does: the start moves, nothing else."""
        ends = log.end_offsets(topic)
        self.admin.delete_records({TopicPartition(topic, p): end for p, end in ends.items()})

    def settle(self, log: Log, clock: Clock, topic: str) -> None:
        """Make the broker compact at once what is not in a partition's newest segment."""
        resource = ConfigResource(
            ConfigResourceType.TOPIC,
            topic,
            {"segment.ms": "1", "min.cleanable.dirty.ratio": "0.0001"},
        )
        self.admin.alter_configs([resource])
        writer, partitions = log.writer(topic), list(log.end_offsets(topic))
        for _ in range(200):
            clock.sleep(0.1)
            writer.append([Outgoing(b"filler", b"", partition=p) for p in partitions])
            keys = [
                (record.partition, record.key)
                for record in poll_all(log.reader(topic))
                if record.key != b"filler"
            ]
            if len(keys) == len(set(keys)):
                return
        raise AssertionError(f"{topic} was not compacted")
