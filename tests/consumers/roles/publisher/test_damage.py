"""Whatever lies on its topics, a publisher starts, goes on, and says what it passed over."""

from pathlib import Path

import pytest

from stream.clock import ManualClock
from stream.events.records.item_control import ItemControl
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.damaged_log import DamagedLog
from tests.consumers.publisher_world import World
from tests.consumers.views import NOW

PARTITION = partition_of(b"u", 2)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which `u` clicked and has a list, with no publisher running."""
    clock = ManualClock(NOW)
    world = World(tmp_path, clock=clock, given_log=DamagedLog(clock))
    world.publish_view()
    world.click("u", "i3")
    role = world.role()
    world.run(role)
    role.close()
    assert [sent.user_id for sent in world.sent()] == ["u"]
    return world


def spoil(world: World, topic: str, partition: int, start: int, stop: int | None) -> None:
    assert isinstance(world.log, DamagedLog)
    world.log.spoil(topic, partition, start, stop)


def mend(world: World) -> None:
    assert isinstance(world.log, DamagedLog)
    world.log.damage.clear()


@pytest.mark.parametrize("stop", [1, None])
def test_damaged_sequences_are_no_forgetting(world: World, stop: int | None) -> None:
    """Who stood there keeps the list, and a new click brings a new one."""
    spoil(world, "sequences", PARTITION, 0, stop)
    role = world.role()
    world.run(role)
    assert [sent.record is None for sent in world.sent()] == [False]
    assert world.value("gsr_publisher_damaged_records_total") == 1
    offset = world.click("u", "i4")
    world.run(role)
    assert world.lists()["u"].made.source_offset == offset
    role.close()


def test_damage_that_comes_while_it_runs_is_passed_over(world: World) -> None:
    """What is behind it is answered."""
    end = world.log.end_offsets("sequences")[PARTITION]
    spoil(world, "sequences", PARTITION, end, end + 1)
    role = world.role()
    world.run(role)
    world.click("u", "i4")
    offset = world.click("u", "i5")
    world.run(role)
    assert world.lists()["u"].made.source_offset == offset
    assert world.value("gsr_publisher_damaged_records_total") == 1
    role.close()


def test_damaged_lists_are_made_anew(world: World) -> None:
    spoil(world, "recommendations", PARTITION, 0, 1)
    role = world.role()
    world.run(role)
    mend(world)
    assert [sent.user_id for sent in world.sent()] == ["u", "u"]
    assert world.value("gsr_publisher_damaged_records_total") == 1
    role.close()


def test_damaged_take_downs_do_not_stop_it(world: World) -> None:
    """Those behind the damage count; at the start, and while it runs."""
    spoil(world, "items", 0, 0, 1)
    world.control(ItemControl(item_id="i0", available=False))
    world.control(ItemControl(item_id="i1", available=False))
    role = world.role()
    world.run(role)
    assert world.lists()["u"].items[0] == "i0"
    assert "i1" not in world.lists()["u"].items
    assert world.value("gsr_publisher_damaged_records_total") == 1
    role.close()


def test_records_of_others_are_counted(world: World) -> None:
    """Junk and records of a newer version, whose users are not taken for forgotten."""
    newer = b'{"schema_version": 99}'
    world.log.writer("items").append([Outgoing(b"i0", b"\xff junk"), Outgoing(b"i1", b"[]")])
    world.log.writer("sequences").append([Outgoing(b"u", newer, partition=PARTITION)])
    world.log.writer("recommendations").append([Outgoing(b"v", newer, partition=PARTITION)])
    spoil(world, "sequences", PARTITION, 0, 1)  # as compaction would have taken it
    role = world.role()
    world.run(role)
    mend(world)
    assert world.value("gsr_publisher_foreign_records_total") == 4
    lists = [record for key, record in _lists(world) if key == b"u"]
    assert None not in lists
    role.close()


def _lists(world: World) -> list[tuple[bytes | None, bytes | None]]:
    reader = world.log.reader("recommendations")
    return [
        pair
        for batch in reader.poll(1000, 0.0)
        for pair in zip(batch.keys, batch.values, strict=True)
    ]
