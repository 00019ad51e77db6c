"""Partitions and offsets that are none are refused by name."""

import pytest

from stream.log.checks import check_assigned, check_offsets, check_partitions


def test_what_is_right_passes() -> None:
    check_partitions("clicks", 2, [0, 1])
    check_assigned("clicks", {3}, [3])
    check_offsets([0, 2**40])


@pytest.mark.parametrize("partition", [-1, 2])
def test_a_partition_that_the_topic_does_not_have(partition: int) -> None:
    with pytest.raises(ValueError, match=f"clicks has the partitions 0 to 1, not {partition}"):
        check_partitions("clicks", 2, [0, partition])


def test_a_partition_that_the_reader_does_not_read() -> None:
    with pytest.raises(ValueError, match=r"clicks\[1\] is not read here, only partitions \[0, 4\]"):
        check_assigned("clicks", {4: 9, 0: 9}, [0, 1])


def test_a_negative_offset() -> None:
    with pytest.raises(ValueError, match="offset -1 is negative"):
        check_offsets([0, -1])
