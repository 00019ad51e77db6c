"""What a publisher leaves in Kafka for the tools that watch it."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import encode_view
from stream.clock import SystemClock
from stream.events.records.sequence import SequenceRecord, pack_seen
from stream.log.interface import Outgoing
from stream.log.kafka.log import KafkaLog
from tests.consumers.publisher_world import ITEMS
from tests.consumers.views import view_of
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 60


@pytest.fixture
def config(tmp_path: Path) -> GsrConfig:
    name = f"publisher-{uuid.uuid4().hex}"
    topics = ("clicks", "dead_letters", "sequences", "recommendations", "items")
    return GsrConfig().with_values(
        {
            "state": {"directory": tmp_path},
            "log": {
                "partitions": 1,
                "default_recommendations": f"{name}-default",
                **{topic: f"{name}-{topic.replace('_', '-')}" for topic in topics},
            },
            "publisher": {"group": name, "linger_seconds": 0.0},
        }
    )


@pytest.fixture
def log(kafka_broker: KafkaAddress, config: GsrConfig) -> Iterator[KafkaLog]:
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    for spec in config.log.topics():
        log.create_topic(spec)
    yield log
    log.close()


def test_what_was_read_in_transactions_is_no_lag(log: KafkaLog, config: GsrConfig) -> None:
    """The position passes the marker behind the newest sequence, before a restart and after it."""
    artifacts = open_artifacts(config, SystemClock())
    artifacts.publish_view(*encode_view(view_of(ITEMS)))
    log.writer(config.log.sequences, fence="ingest").append([sequence("u1"), sequence("u2")])
    for _start in range(2):
        role = PublisherRole(
            config, log, SystemClock(), Metrics("publisher", SystemClock()), artifacts
        )
        end = time.monotonic() + PATIENCE_SECONDS
        saved: dict[int, int] = {}
        while saved != {0: 3}:
            role.step()
            saved = log.saved_positions(config.publisher.group, config.log.sequences)
            assert time.monotonic() < end, saved
        role.close()
        assert log.saved_positions(config.publisher.group, config.log.sequences) == {0: 3}
        log.save_positions(config.publisher.group, config.log.sequences, {0: 0})


def sequence(user: str) -> Outgoing:
    now = time.time()
    record = SequenceRecord(
        user_id=user,
        items=["i1"],
        times=[now],
        events=["click"],
        seen=pack_seen(np.zeros(0, dtype=np.uint32)),
        source_partition=0,
        source_offset=0,
        next_offset=1,
        last_click_at=now,
        accepted_at=now,
    )
    return Outgoing(user.encode(), record.encode())
