"""A shop on librdkafka: sends clicks and records that are none, and reads the topics."""

import json
import threading
import time
from typing import Any, Final

import numpy as np
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)

from benchmarks.foreign_client.judgement import ReadList, SentClick

READ_SECONDS: Final = 30.0


def poison_records(now: float) -> list[tuple[bytes | None, bytes]]:
    """Return 25 records that are no clicks: key and value of each."""
    click = {"user_id": "p", "item_id": "i", "timestamp": now}

    def without(name: str) -> bytes:
        return json.dumps({key: value for key, value in click.items() if key != name}).encode()

    def with_(**fields: Any) -> bytes:
        return json.dumps({**click, **fields}).encode()

    values = [
        *(b" ", b"{", b"[]", b"null", b"no json at all", b'{"user_id": "p"} and more', b"\xff\xfe"),
        *(without("user_id"), without("item_id"), without("timestamp")),
        *(with_(user_id=1), with_(item_id=None), with_(timestamp=True), with_(item_id="")),
        *(with_(item_id="x" * 257), with_(timestamp="yesterday"), with_(timestamp=-5.0)),
        *(with_(timestamp=now * 1000.0), with_(timestamp=now + 86_400.0), with_(event="frown")),
        *(
            with_(blob="x" * 20_000),
            with_(blob="x" * 5_000_000),
            b'{"a":' * 100 + b"1" + b"}" * 100,
        ),
    ]
    return [*((b"p", value) for value in values), (b"somebody-else", with_()), (None, with_())]


class Shop:
    """Shoppers who click at a fixed rate, on a thread of their own.

    Each walks along a ring of items of the same taste, with some jumps, so that there is something
    to learn.

    Parameters
    ----------
    servers
        ``host:port`` of the brokers.
    topic
        Where clicks go.
    clicks, per_second
        How many, how fast.
    users, items
        How many there are of each.
    seed
        Of everything random.
    """

    def __init__(
        self,
        servers: str,
        topic: str,
        *,
        clicks: int,
        per_second: float,
        users: int,
        items: int,
        seed: int,
    ) -> None:
        self.sent: list[SentClick] = []
        self.poison: list[tuple[int, int]] = []
        self.failures: list[str] = []
        self._topic = topic
        self._clicks, self._per_second = clicks, per_second
        self._users, self._items = users, items
        self._random = np.random.default_rng(seed)
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "compression.type": "zstd",
                "message.max.bytes": 10_000_000,
                "linger.ms": 5,
            }
        )
        self._thread = threading.Thread(target=self._send, name="shop", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything has been acknowledged."""
        self._thread.join()

    def _send(self) -> None:
        places = self._random.integers(self._items, size=self._users)
        poison = poison_records(time.time())
        poison_at = set(np.linspace(100, self._clicks - 100, len(poison)).astype(int).tolist())
        began = time.monotonic()
        for row in range(self._clicks):
            ahead = began + row / self._per_second - time.monotonic()
            if ahead > 0:
                self._producer.poll(ahead)
            user = int(self._random.integers(self._users))
            step = 1 + int(self._random.geometric(0.4))
            jumps = self._random.random() < 0.1
            places[user] = (
                self._random.integers(self._items) if jumps else (places[user] + step) % self._items
            )
            self._send_click(f"u{user}", f"i{places[user]}")
            if row in poison_at:
                key, value = poison.pop(0)
                self._producer.produce(
                    self._topic, key=key, value=value, on_delivery=self._poisoned
                )
            self._producer.poll(0)
        self._producer.flush(60)

    def _send_click(self, user: str, item: str) -> None:
        value = json.dumps({"user_id": user, "item_id": item, "timestamp": time.time()})

        def acknowledged(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failures.append(str(error))
                return
            _, offset, appended = _place_of(message)
            self.sent.append(SentClick(user, item, offset, appended))

        self._producer.produce(self._topic, key=user, value=value, on_delivery=acknowledged)

    def _poisoned(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failures.append(str(error))
        else:
            self.poison.append(_place_of(message)[:2])


class ListWatch:
    """Reads every list as it comes, on a thread: compaction takes what is superseded.

    Parameters
    ----------
    servers
        ``host:port`` of the brokers.
    topic
        Where lists are.
    """

    def __init__(self, servers: str, topic: str) -> None:
        self.lists: list[ReadList] = []
        self._consumer, _ = _consumer_of(servers, topic)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="lists", daemon=True)
        self._thread.start()

    def known(self) -> dict[str, int]:
        """Return the offset of the newest click that each user's newest list knows of."""
        return {each.user: each.knows for each in list(self.lists)}

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error() is not None:
                continue
            key, value = message.key(), message.value()
            if key is not None and value is not None:
                self.lists.append(_read_list(key.decode(), value, message))


def read_dead_letters(servers: str, topic: str) -> list[tuple[int, int]]:
    """Return where each dead letter says that it comes from: partition and offset."""
    consumer, partitions = _consumer_of(servers, topic)
    places, open_ends = [], set(partitions)
    try:
        while open_ends:
            message = consumer.poll(READ_SECONDS)
            if message is None:
                raise TimeoutError(f"{topic} cannot be read to its end")
            if message.error() is None:
                headers = dict(message.headers() or [])
                partition = headers["gsr.error.partition"] or b""
                offset = headers["gsr.error.offset"] or b""
                places.append((int(partition), int(offset)))
            else:  # the end of a partition
                open_ends.discard(message.partition())
    finally:
        consumer.close()
    return places


def _consumer_of(servers: str, topic: str) -> tuple[Consumer, list[int]]:
    """Return a reader of a topic from its beginning, and the topic's partitions."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "shop",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    partitions = sorted(consumer.list_topics(topic, timeout=READ_SECONDS).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, one, OFFSET_BEGINNING) for one in partitions])
    return consumer, partitions


def _read_list(user: str, value: bytes, message: Message) -> ReadList:
    record, (_, offset, appended) = json.loads(value), _place_of(message)
    return ReadList(
        user,
        offset,
        appended,
        tuple(one["item_id"] for one in record["items"]),
        record["model_version"],
        record["source_offset"],
    )


def _place_of(message: Message) -> tuple[int, int, float]:
    """Return partition, offset and append time (seconds) of a record that is on a topic."""
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise ValueError("a record that is on no topic")
    return partition, offset, message.timestamp()[1] / 1000.0
