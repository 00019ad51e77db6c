"""A join that ends while nobody polls is not thrown away."""

import asyncio
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from stream.clock import SystemClock
from stream.log.interface import TopicSpec
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds.unpolled_joins import hold_joins
from tests.kafka_broker import KafkaAddress

PATIENCE_POLLS = 60


def test_a_join_ends_once_somebody_polls() -> None:
    """Its result waits until then."""

    async def join() -> str:
        return "partitions"

    async def run() -> None:
        ended = asyncio.Event()

        async def wait(timeout_ms: float | None) -> None:
            assert timeout_ms == 7
            await ended.wait()

        coordinator: Any = SimpleNamespace(
            join_group_async=wait,
            _do_join_and_sync_async=join,
            _net=SimpleNamespace(sleep=lambda _: asyncio.sleep(0)),
        )
        hold_joins(SimpleNamespace(_coordinator=coordinator))
        task = asyncio.create_task(coordinator._do_join_and_sync_async())  # noqa: SLF001 - as the library does
        task.add_done_callback(lambda _: ended.set())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        await coordinator.join_group_async(timeout_ms=7)
        assert task.result() == "partitions"

    asyncio.run(run())


@pytest.mark.kafka
def test_members_that_poll_seldom_share_the_partitions(kafka_broker: KafkaAddress) -> None:
    """Both get their half, and nothing moves once they have."""
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    topic = f"joining.{uuid.uuid4().hex}"
    log.create_topic(TopicSpec(name=topic, partitions=4))
    readers = [log.reader(topic, group=topic) for _ in range(2)]
    for _ in range(PATIENCE_POLLS):
        for reader in readers:
            reader.poll(100, 0.01)
            time.sleep(0.5)  # the network thread joins meanwhile
        if [len(reader.assignment) for reader in readers] == [2, 2]:
            break
    shares = [reader.assignment for reader in readers]
    assert sorted(shares[0] + shares[1]) == [0, 1, 2, 3]
    joined = log.figures.counts()["rebalances"]
    for _ in range(6):
        for reader in readers:
            reader.poll(100, 0.01)
            time.sleep(0.5)
    assert [reader.assignment for reader in readers] == shares
    assert log.figures.counts()["rebalances"] == joined
    log.close()


@pytest.mark.parametrize("coordinator", [None, SimpleNamespace(join_group_async=print)])
def test_another_library_is_left_alone(coordinator: Any) -> None:
    """What is not as expected is not touched."""
    before = dict(vars(coordinator)) if coordinator else None
    hold_joins(SimpleNamespace(_coordinator=coordinator))
    assert before is None or vars(coordinator) == before
