"""Changes of an assignment end the poll and wait for the thread that polls."""

import logging

import pytest
from kafka import TopicPartition

from stream.log.kafka.reading.rebalance import Change, RebalanceInterrupt, RebalanceQueue


def places(*partitions: int) -> list[TopicPartition]:
    return [TopicPartition("clicks", partition) for partition in partitions]


def test_changes_wait_in_their_order() -> None:
    """Each ends the poll in which it happens."""
    queue = RebalanceQueue()
    with pytest.raises(RebalanceInterrupt):
        queue.on_partitions_revoked(places(2, 0))
    with pytest.raises(RebalanceInterrupt):
        queue.on_partitions_lost(places(1))
    with pytest.raises(RebalanceInterrupt):
        queue.on_partitions_assigned(places(3))
    assert list(queue.changes) == [
        Change("revoked", (0, 2)),
        Change("lost", (1,)),
        Change("assigned", (3,)),
    ]


def test_nothing_is_no_change() -> None:
    queue = RebalanceQueue()
    queue.on_partitions_assigned(places())
    assert not queue.changes


def test_who_has_closed_hears_no_more() -> None:
    queue = RebalanceQueue()
    with pytest.raises(RebalanceInterrupt):
        queue.on_partitions_assigned(places(0))
    queue.close()
    queue.on_partitions_revoked(places(0))
    assert not queue.changes


@pytest.mark.parametrize("error", [RebalanceInterrupt, ValueError])
def test_only_errors_of_listeners_are_logged(
    caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    """An interrupt is none, though the library takes it for one."""
    with caplog.at_level(logging.ERROR):
        logging.getLogger("kafka.coordinator.consumer").error("x", exc_info=error())
    assert len(caplog.records) == (error is ValueError)
