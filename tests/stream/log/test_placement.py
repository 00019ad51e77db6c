"""Every record gets a partition, or the whole append is refused."""

import pytest

from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from stream.log.placement import Placement


def test_own_choice_key_and_turn() -> None:
    """In this order."""
    placement = Placement("topic", 3, compacted=False)
    keyless = Outgoing(None, b"v")
    records = [Outgoing(b"user", b"v", partition=2), Outgoing(b"user", b"v"), keyless, keyless]
    assert placement.partitions(records) == [2, partition_of(b"user", 3), 0, 1]
    assert placement.partitions([keyless, keyless]) == [2, 0]
    assert placement.partitions([]) == []


@pytest.mark.parametrize("partition", [-1, 3])
def test_a_partition_that_is_not_there(partition: int) -> None:
    """The message says which are."""
    with pytest.raises(ValueError, match=f"partitions 0 to 2, not {partition}"):
        Placement("topic", 3, compacted=False).partitions([Outgoing(b"k", b"v", (), partition)])


def test_a_compacted_topic_needs_keys() -> None:
    """Compaction would not know what to keep."""
    with pytest.raises(ValueError, match="key"):
        Placement("topic", 3, compacted=True).partitions([Outgoing(None, b"v")])
