"""A key's partition does not depend on how many keys are asked for at once."""

import pytest

from stream.log.partitioner import partition_of, partitions_of


@pytest.mark.parametrize("count", [0, 1, 39, 40, 1000])
@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_many_keys_go_where_each_goes_alone(count: int, partitions: int) -> None:
    """Below and above the count from which keys are hashed together."""
    keys = [b"user-%d" % number for number in range(count)]
    expected = [partition_of(key, partitions) for key in keys]
    assert partitions_of(keys, partitions).tolist() == expected


def test_keys_spread_evenly() -> None:
    """No partition gets much more than its share."""
    spread = partitions_of([b"user-%d" % number for number in range(12_000)], 12)
    counts = [int((spread == partition).sum()) for partition in range(12)]
    assert 900 < min(counts) <= max(counts) < 1100
