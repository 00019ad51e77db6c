"""What the library could not unpack is named by its place, if that can be told."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from stream.errors import LogCorruptError, RecordsDamagedError
from stream.log.kafka.workarounds.damage_place import plain_damage

ERROR = ValueError("bad crc")


def test_partition_and_offset_are_told() -> None:
    """Where it ends is not known."""
    records = SimpleNamespace(topic_partition=TopicPartition("clicks", 3), next_fetch_offset=17)
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_next_partition_records=records))
    damage = plain_damage(consumer, "clicks", ERROR)
    assert isinstance(damage, RecordsDamagedError)
    assert (damage.partition, damage.offset, damage.next_offset) == (3, 17, None)


@pytest.mark.parametrize(
    "consumer",
    [SimpleNamespace(), SimpleNamespace(_fetcher=SimpleNamespace(_next_partition_records=None))],
)
def test_else_the_topic_is(consumer: Any) -> None:
    damage = plain_damage(consumer, "clicks", ERROR)
    assert type(damage) is LogCorruptError
    assert str(damage) == "clicks has damaged records: bad crc"
