"""On Kafka the example counts what the publisher counts."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution.served_clicks import served_group
from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import encode_view
from examples.served_hits import ServedHits, TopicReader
from stream.clock import SystemClock
from stream.events.clicks.encoding import encode_click
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord
from stream.log.interface import Outgoing
from stream.log.kafka.log import KafkaLog
from tests.consumers.publisher_world import ITEMS
from tests.consumers.views import view_of
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 60.0


class Shop:
    """Topics of its own on a broker, a publisher, and the example beside it."""

    def __init__(self, broker: KafkaAddress, directory: Path) -> None:
        name = uuid.uuid4().hex[:12]
        roles = (
            *("clicks", "dead_letters", "sequences"),
            *("recommendations", "default_recommendations", "items"),
        )
        topics = {role: f"{role.replace('_', '-')}.{name}" for role in roles}
        self.config = GsrConfig().with_values(
            {
                "state": {"directory": directory},
                "log": {"partitions": 1, **topics},
                "publisher": {"group": f"publisher-{name}", "linger_seconds": 0.0},
            }
        )
        clock = SystemClock()
        self.log = KafkaLog(broker.bootstrap_servers, clock)
        for spec in self.config.log.topics():
            self.log.create_topic(spec)
        artifacts = open_artifacts(self.config, clock)
        artifacts.publish_view(*encode_view(view_of(ITEMS, now=time.time())))
        self.metrics = Metrics("publisher", clock)
        self.role = PublisherRole(self.config, self.log, clock, self.metrics, artifacts)
        self.served = ServedHits()
        names = self.config.log
        self.reader = TopicReader(
            broker.bootstrap_servers,
            self.served,
            (
                names.clicks,
                names.dead_letters,
                names.recommendations,
                names.default_recommendations,
            ),
        )

    def close(self) -> None:
        """Let go of the broker."""
        self.reader.close()
        self.role.close()
        self.log.close()

    def click(self, user: str, item: str, **fields: str) -> None:
        """Append a click and, as ingest would, the sequence that it leads to."""
        now, names = time.time(), self.config.log
        value = encode_click(user, item, now, list_id=fields.get("list_id"))
        ((_, offset),) = self.log.writer(names.clicks).append([Outgoing(user.encode(), value)])
        record = SequenceRecord(
            user_id=user,
            items=[item],
            times=[now],
            events=["click"],
            source_partition=0,
            source_offset=offset,
            next_offset=offset + 1,
            last_click_at=now,
            accepted_at=now,
        )
        self.log.writer(names.sequences).append([Outgoing(user.encode(), record.encode())])
        self.step_until(lambda: self.newest(user).source_offset == offset)

    def newest(self, user: str) -> Recommendation:
        """Return a user's newest list, an empty one where there is none."""
        found = Recommendation(
            user_id=user, items=[], model_version=0, generated_at=0.0, reason="cold"
        )
        reader = self.log.reader(self.config.log.recommendations)
        while batches := reader.poll(1000, 0.3):
            for batch in batches:
                for key, value in zip(batch.keys, batch.values, strict=True):
                    if key == user.encode() and value is not None:
                        found = decode_recommendation(value)
        reader.close()
        return found

    def counted(self) -> dict[tuple[str, str], float]:
        """Return the publisher's clicks by outcome and reason, without what is 0."""
        return {
            (sample.labels["outcome"], sample.labels["reason"]): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "gsr_served_clicks_total" and sample.value
        }

    def step_until(self, holds: Callable[[], bool]) -> None:
        """Let the publisher go on until something holds."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            for _ in range(10):
                self.role.step()
            self.reader.poll(0.01)
            assert time.monotonic() < end


@pytest.fixture
def shop(kafka_broker: KafkaAddress, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(kafka_broker, tmp_path)
    yield shop
    shop.close()


def test_both_count_alike(shop: Shop) -> None:
    """Hits on lists of one's own, on one that is named, and misses; on clicks after the start."""
    group, clicks = served_group(shop.config), shop.config.log.clicks
    shop.step_until(lambda: bool(shop.log.saved_positions(group, clicks)))
    defaults = shop.config.log.default_recommendations
    shop.step_until(lambda: any(shop.log.end_offsets(defaults).values()))
    read_by = time.monotonic() + 2.0  # the broker needs a moment to send it back
    shop.step_until(lambda: time.monotonic() > read_by)
    shop.click("u", "i29")
    first = shop.newest("u")
    shop.click("u", first.items[2].item_id)
    shop.click("u", "elsewhere")
    shop.click("u", first.items[4].item_id, list_id=str(first.list_id))
    shop.click("v", "i3", list_id="of-another-shelf")
    shop.step_until(lambda: sum(shop.counted().values()) == 5)
    end = time.monotonic() + PATIENCE_SECONDS
    while shop.served.clicks.total() < 5:
        shop.reader.poll(0.1)
        shop.served.judge(time.time() - 2.0)
        assert time.monotonic() < end
    assert shop.counted() == dict(shop.served.clicks)
    assert shop.counted()["hit", "click"] == 2
    assert shop.counted()["unknown", "none"] == 1
    end_offsets = shop.log.end_offsets(clicks)
    shop.step_until(lambda: shop.log.saved_positions(group, clicks) == end_offsets)
