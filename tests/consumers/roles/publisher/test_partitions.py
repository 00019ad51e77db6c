"""Partitions that come and go while a publisher runs."""

import pytest

from consumers.roles.publisher.role import PublisherRole
from stream.errors import LogUnavailableError
from stream.log.embedded.memory import MemoryLog
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import World

HERE, THERE = (
    [f"u{n}" for n in range(40) if partition_of(f"u{n}".encode(), 2) == partition]
    for partition in (0, 1)
)


@pytest.fixture
def role(world: World) -> PublisherRole:
    """Start a publisher that has a view and serves both partitions."""
    world.publish_view()
    role = world.role()
    world.run(role)
    return role


def test_what_was_revoked_is_left_to_others(world: World, role: PublisherRole) -> None:
    """Its users' clicks bring no list here; the other partition goes on."""
    world.click(THERE[0], "i3")
    role._partitions.revoked([1])  # noqa: SLF001 - what the reader calls
    world.click(THERE[1], "i3")
    world.click(HERE[0], "i3")
    world.run(role)
    assert set(world.lists()) == {HERE[0]}
    assert world.value("gsr_publisher_partitions") == 1
    assert world.value("gsr_publisher_users") == 1


def test_what_comes_back_is_read_anew(world: World, role: PublisherRole) -> None:
    """Lists that others sent meanwhile are known, and what is missing is sent."""
    world.click(THERE[0], "i3")
    world.run(role)
    role._partitions.lost([1])  # noqa: SLF001
    other = world.role()
    world.click(THERE[1], "i4")
    world.run(other)
    other.close()
    world.click(THERE[2], "i5")
    role._partitions.assigned([1])  # noqa: SLF001
    world.run(role)
    sent = [one.user_id for one in world.sent() if one.partition == 1]
    assert sent == THERE[:3]


def test_the_default_list_goes_with_the_first_partition(world: World, role: PublisherRole) -> None:
    """One publisher sends it; one without it is ready all the same."""
    assert len(world.default()) == 1
    role._partitions.revoked([0])  # noqa: SLF001
    world.run(role, 12.0)
    assert len(world.default()) == 1
    assert all(role.checks().values())
    role._partitions.assigned([0])  # noqa: SLF001
    world.run(role, 12.0)
    assert len(world.default()) == 2


def test_trouble_while_restoring(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that goes away in between is tried again, and nothing is sent twice or left out."""
    world.publish_view()
    first = world.role()
    for user in HERE[:3]:
        world.click(user, "i3")
    world.run(first)
    first.close()
    world.click(HERE[3], "i3")
    ends, failures = MemoryLog.end_offsets, iter([False] * 4 + [True] + [False] * 1000)

    def away(log: MemoryLog, topic: str) -> dict[int, int]:
        if topic == world.config.log.sequences and next(failures):
            raise LogUnavailableError("away")
        return ends(log, topic)

    monkeypatch.setattr(MemoryLog, "end_offsets", away)
    role = world.role()
    troubles = 0
    for _ in range(20):
        try:
            world.run(role, 0.1)
        except LogUnavailableError:
            troubles += 1
    assert troubles == 1
    assert [one.user_id for one in world.sent()] == HERE[:4]
    role.close()
