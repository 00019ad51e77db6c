"""Keep everybody's newest recommendations at hand, with kafka-python.

    python read_lists_kafka_python.py 127.0.0.1:9092

Prints each list that comes. A service would call `ListReader.poll` from a thread of its own.
"""

import json
import sys
import time
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import UnknownTopicOrPartitionError

SCHEMA_VERSION: Final = 1
DEFAULT_KEY: Final = "default"


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
        # Each process reads every list, so that there is no group and no saved position.
        self._consumer = KafkaConsumer(
            bootstrap_servers=servers,
            group_id=None,
            enable_auto_commit=False,
            # Lists are written in transactions.
            isolation_level="read_committed",
            # Should a position be gone, read what is left from the start.
            auto_offset_reset="earliest",
        )
        partitions = []
        for name in (topic, default_topic):
            known = self._consumer.partitions_for_topic(name)
            if not known:
                self._consumer.close()
                raise UnknownTopicOrPartitionError(name)
            partitions += [TopicPartition(name, partition) for partition in known]
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        self._ends: dict[TopicPartition, int] = self._consumer.end_offsets(partitions)

    @property
    def caught_up(self) -> bool:
        """Whether all that stood on the topics at the start has been read."""
        return all(self._consumer.position(at) >= end for at, end in self._ends.items())

    def poll(self, seconds: float) -> list[dict[str, Any]]:
        """Take in the next records, if any come in time; return the lists that they hold."""
        found = self._consumer.poll(timeout_ms=int(1000 * seconds))
        records = (record for batch in found.values() for record in batch)
        return [made for record in records if (made := self._take(record)) is not None]

    def _take(self, message: Any) -> dict[str, Any] | None:
        place = (message.topic, message.key.decode())
        if message.value is None:
            # The list was withdrawn: the user is forgotten.
            self._lists.pop(place, None)
            return None
        record: dict[str, Any] = json.loads(message.value)
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
        for record in reader.poll(1.0):
            user, age = record["user_id"] or "(default)", time.time() - record["generated_at"]
            print(f"{user}, {age:.1f} s old: {' '.join(i['item_id'] for i in record['items'])}")


if __name__ == "__main__":
    main(sys.argv[1])
