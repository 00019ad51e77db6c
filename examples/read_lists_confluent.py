"""Keep everybody's newest recommendations at hand, with confluent-kafka.

    python read_lists_confluent.py 127.0.0.1:9092

Prints each list that comes. A service would call `ListReader.poll` from a thread of its own.
"""

import json
import sys
import time
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

SCHEMA_VERSION: Final = 1
DEFAULT_KEY: Final = "default"
SECONDS: Final = 10.0


class ListReader:
    """Everybody's newest list, read from the start of the topics and kept up to date."""

    def __init__(
        self,
        servers: str,
        topic: str = "recommendations",
        default_topic: str = "recommendations-default",
    ) -> None:
        self._lists: dict[tuple[str, str], dict[str, Any]] = {}
        self._topic, self._default_topic = topic, default_topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                # Lists are written in transactions.
                "isolation.level": "read_committed",
                # Each process reads every list, so that there is no group and no saved position.
                "group.id": "unused",
                "enable.auto.commit": False,
                # Should a position be gone, read what is left from the start.
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        partitions = []
        for name in (topic, default_topic):
            metadata = self._consumer.list_topics(name, SECONDS).topics[name]
            if metadata.error is not None:
                self._consumer.close()
                raise KafkaException(metadata.error)
            partitions += [TopicPartition(name, p, OFFSET_BEGINNING) for p in metadata.partitions]
        self._behind = {(one.topic, one.partition) for one in partitions}
        self._consumer.assign(partitions)

    @property
    def caught_up(self) -> bool:
        """Whether all that stood on the topics at the start has been read."""
        return not self._behind

    def poll(self, seconds: float) -> dict[str, Any] | None:
        """Take in the next record, if one comes in time; return the list that it holds."""
        message = self._consumer.poll(seconds)
        if message is None:
            return None
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                self._behind.discard((message.topic() or "", message.partition() or 0))
            elif error.fatal():
                raise KafkaException(error)
            else:
                # A broker that is away, for instance: librdkafka tries again by itself.
                print(error, file=sys.stderr)
            return None
        key, value = message.key(), message.value()
        place = (message.topic() or "", key.decode() if isinstance(key, bytes) else str(key))
        if value is None:
            # The list was withdrawn: the user is forgotten.
            self._lists.pop(place, None)
            return None
        record: dict[str, Any] = json.loads(value)
        if record["schema_version"] > SCHEMA_VERSION:
            raise ValueError(f"a list of schema version {record['schema_version']}: upgrade this")
        # Later records of a key replace earlier ones, also where one comes twice.
        self._lists[place] = record
        return record

    def items(self, user_id: str) -> list[str]:
        """Return the items for a user, the best first; the default list for users without one."""
        default = self._lists.get((self._default_topic, DEFAULT_KEY), {"items": []})
        record = self._lists.get((self._topic, user_id), default)
        return [item["item_id"] for item in record["items"]]

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def main(servers: str) -> None:
    """Print lists as they come, with how old they are."""
    reader = ListReader(servers)
    while True:
        record = reader.poll(1.0)
        if record is not None:
            user, age = record["user_id"] or "(default)", time.time() - record["generated_at"]
            print(f"{user}, {age:.1f} s old: {' '.join(i['item_id'] for i in record['items'])}")


if __name__ == "__main__":
    main(sys.argv[1])
