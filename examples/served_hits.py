"""Count what became of the lists that were sent, from the topics alone, with confluent-kafka.

    python served_hits.py 127.0.0.1:9092

Prints clicks and hits by position, reason and model version every ten seconds, beginning with the
next click. It counts what docs/attribution.md defines, so that its numbers are those of gsr's
metrics `gsr_served_...`. The class does the counting and knows nothing of Kafka.
"""

import json
import sys
import time
from collections import Counter
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

SCHEMA_VERSION: Final = 1
POSITIONS: Final = ((1, "1"), (5, "2-5"), (10, "6-10"), (20, "11-20"), (50, "21-50"))
SETTLE_SECONDS: Final = 10.0
"""Clicks are judged so long after they came: by then the lists made before them have been read."""
COUNTS: Final = ("clicks", "hits", "versions")
SECONDS: Final = 10.0
TOPICS: Final = ("clicks", "clicks.dlq", "recommendations", "recommendations-default")
KEPT_LISTS: Final = 50
"""Lists kept of each user: more than anybody gets while clicks settle."""


class ServedHits:
    """Holds clicks against lists.

    Parameters
    ----------
    unweighted
        Events whose weight in `events.weights` is not above 0: they are no clicks on a list.
    """

    def __init__(self, unweighted: tuple[str, ...] = ("seen", "hide")) -> None:
        self.clicks: Counter[tuple[str, str]] = Counter()
        """Clicks by outcome and reason."""
        self.hits: Counter[tuple[str, str]] = Counter()
        """Hits by position and reason."""
        self.versions: Counter[tuple[int, str]] = Counter()
        """Clicks by model version and outcome, hit or miss."""
        self._unweighted = unweighted
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._waiting: list[tuple[float, int, int, dict[str, Any]]] = []
        self._bad: set[tuple[int, int]] = set()

    def add_list(self, key: bytes, value: bytes | None) -> None:
        """Take in a record of `recommendations`, or of `recommendations-default`."""
        user = key.decode()
        if value is None:
            self._lists.pop(user, None)  # withdrawn
            return
        record = json.loads(value)
        if record["schema_version"] > SCHEMA_VERSION:
            raise ValueError(f"a list of schema version {record['schema_version']}: upgrade this")
        # The key of the default list is `default`, its user is empty, which no user's is.
        lists = self._lists.setdefault(record["user_id"], [])
        lists.append(record)
        del lists[:-KEPT_LISTS]

    def add_dead_letter(self, headers: dict[str, bytes]) -> None:
        """Take in a record of `clicks.dlq`: what it tells of is no click."""
        self._bad.add((int(headers["gsr.error.partition"]), int(headers["gsr.error.offset"])))

    def add_click(self, partition: int, offset: int, taken_at: float, value: bytes | None) -> None:
        """Take in a record of `clicks`, which the log took at `taken_at`, seconds since 1970."""
        if value is None:
            return  # a request to forget the user
        try:
            click = json.loads(value)
        except ValueError:
            return  # a dead letter, surely
        self._waiting.append((taken_at, partition, offset, click))

    def judge(self, until: float = float("inf")) -> None:
        """Count the clicks that came before `until`, seconds since the epoch."""
        waiting, self._waiting = self._waiting, []
        for taken_at, partition, offset, click in waiting:
            if taken_at >= until:
                self._waiting.append((taken_at, partition, offset, click))
            elif (partition, offset) in self._bad:
                self._bad.discard((partition, offset))
            elif click.get("event") not in self._unweighted:
                self._judge(click, taken_at, offset)

    def _judge(self, click: dict[str, Any], taken_at: float, offset: int) -> None:
        own, default = self._lists.get(click["user_id"], []), self._lists.get("", [])
        list_id, position = click.get("list_id"), None
        if list_id is not None:
            found = [one for one in default + own if one.get("list_id") == list_id]
            position = click.get("list_position")
            missing = "unknown"
        else:
            found = [one for one in own if made_before(one, taken_at, offset)]
            if not found:
                found = [one for one in default if made_before(one, taken_at, offset)]
            missing = "unlisted"
        if not found:
            self.clicks[missing, "none"] += 1
            return
        newest = found[-1]
        reason = newest["reason"] if newest["user_id"] else "default"
        items = [item["item_id"] for item in newest["items"]]
        outcome = "hit" if click["item_id"] in items else "miss"
        self.clicks[outcome, reason] += 1
        self.versions[newest["model_version"], outcome] += 1
        if outcome == "hit":
            place = position or items.index(click["item_id"]) + 1
            self.hits[bucket(place), reason] += 1


def made_before(record: dict[str, Any], taken_at: float, offset: int) -> bool:
    """Return whether a list was there for a click, and does not know of it."""
    known_to = record["source_offset"]
    return record["generated_at"] <= taken_at and (known_to is None or known_to < offset)


def bucket(place: int) -> str:
    """Return the group of places that the metrics count together."""
    return next((name for last, name in POSITIONS if place <= last), "51-")


class TopicReader:
    """Reads along the four topics and hands each record on to where it belongs.

    Parameters
    ----------
    servers
        Addresses of brokers.
    served
        Takes the records.
    topics
        The names of the topics of clicks, of dead letters, of lists and of default lists.
    """

    def __init__(
        self, servers: str, served: ServedHits, topics: tuple[str, str, str, str] = TOPICS
    ) -> None:
        self._served = served
        self._clicks, self._dead_letters, *lists = topics
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                # Lists are written in transactions.
                "isolation.level": "read_committed",
                # No group and no saved position: whoever starts anew counts anew.
                "group.id": "unused",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        starts = []
        for name in topics:
            partitions = self._consumer.list_topics(name, SECONDS).topics[name].partitions
            for place in (TopicPartition(name, partition) for partition in partitions):
                # All lists there are, and the clicks from now on.
                first, end = self._consumer.get_watermark_offsets(place, SECONDS)
                place.offset = first if name in lists else end
                starts.append(place)
        self._consumer.assign(starts)

    def poll(self, seconds: float) -> None:
        """Take in the next record, if one comes in time."""
        message: Any = self._consumer.poll(seconds)
        if message is None or message.error() is not None:
            return  # of a broker that is away librdkafka tries again by itself
        topic, value = message.topic(), message.value()
        if topic == self._clicks:
            taken_at = message.timestamp()[1] / 1000.0
            self._served.add_click(message.partition(), message.offset(), taken_at, value)
        elif topic == self._dead_letters:
            self._served.add_dead_letter(dict(message.headers()))
        else:
            self._served.add_list(message.key(), value)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def main(servers: str) -> None:
    """Read along for ever, and print the counts."""
    served = ServedHits()
    reader, shown_at = TopicReader(servers, served), time.time()
    while True:
        reader.poll(1.0)
        now = time.time()
        if now - shown_at >= SETTLE_SECONDS:
            shown_at = now
            served.judge(now - SETTLE_SECONDS)
            print(json.dumps({name: by_words(getattr(served, name)) for name in COUNTS}))


def by_words(counts: Counter[Any]) -> dict[str, int]:
    """Return counts under names that JSON can hold."""
    return {" ".join(map(str, key)): count for key, count in sorted(counts.items())}


if __name__ == "__main__":
    main(sys.argv[1])
