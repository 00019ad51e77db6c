"""Simulated clicks on topics of a Kafka cluster."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stream.events.clicks.encoding import outgoing_clicks
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.interface import Outgoing

ITEMS: Final = 50_000
CLICKS_PER_SECOND: Final = 200.0
_PRODUCER: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 50,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 500_000,
    "partitioner": "murmur2_random",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickTopic:
    """A topic that holds the first clicks of a simulated stream.

    Parameters
    ----------
    events
        How many.
    users
        Shoppers of the simulated shop.
    partitions
        Of the topic.
    compression
        Kafka's name of it, or ``none``.
    """

    events: int
    users: int
    partitions: int
    compression: str

    @property
    def name(self) -> str:
        """The topic's name, different for different contents."""
        return f"clicks-{self.events}-of-{self.users}-{self.partitions}-{self.compression}"

    def records(self) -> Iterator[Outgoing]:
        """Yield the records, the same ones every time."""
        shop = SimulatorConfig(users=self.users, items=ITEMS, clicks_per_second=CLICKS_PER_SECOND)
        for columns in Simulator(shop, np.random.default_rng(1)).events(self.events):
            yield from outgoing_clicks(columns)

    def fill(self, servers: str) -> None:
        """Create the topic and put the records on it; does nothing where that was done."""
        admin = AdminClient({"bootstrap.servers": servers})
        if self.name in admin.list_topics(timeout=30).topics:
            return
        topic = NewTopic(self.name, num_partitions=self.partitions, replication_factor=1)
        admin.create_topics([topic])[self.name].result(30)
        begun = time.monotonic()
        producer = Producer(
            {**_PRODUCER, "bootstrap.servers": servers, "compression.type": self.compression}
        )
        for record in self.records():
            while True:
                try:
                    producer.produce(self.name, record.value, record.key)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        producer.flush()
        seconds = time.monotonic() - begun
        print(f"{self.name}: {self.events:,} clicks in {seconds:.0f} s", file=sys.stderr)
