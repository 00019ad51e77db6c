"""Nobody is told that there is nothing, or little, while there are items."""

from dataclasses import replace
from pathlib import Path

import pytest

from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import ServingView
from stream.events.records.item_control import ItemControl
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import ITEMS, World
from tests.consumers.views import view_of

USERS = [f"u{n}" for n in range(20)]


def items(count: int) -> dict[str, float]:
    """Return the `count` most popular items."""
    return dict(list(ITEMS.items())[:count])


def at(view: ServingView, *positions: int) -> ServingView:
    """Have a view count the clicks before `positions`, one for each partition."""
    return replace(view, positions=dict(enumerate(positions)))


def test_a_view_without_items_is_waited_out(world: World) -> None:
    """The trainer's first view may come before the first click is counted."""
    world.publish_view(view_of({}))
    role = world.role()
    for user in USERS:
        world.click(user, "i29")
    world.run(role)
    assert world.sent() == world.default() == []
    assert not all(role.checks().values())
    assert world.value("gsr_publisher_due_users") == len(USERS)
    world.publish_view()
    world.run(role)
    assert all(len(one.items) == 5 for one in world.lists().values())
    assert set(world.lists()) == set(USERS)
    assert [len(one.items) for one in world.default()] == [len(ITEMS)]
    assert all(role.checks().values())


def test_a_model_alone_makes_no_list(world: World) -> None:
    """Without counters nobody knows which items there still are."""
    world.publish_model()
    role = world.role()
    world.click("u", "i29")
    world.run(role)
    assert world.sent() == []
    world.publish_view()
    world.run(role)
    assert world.lists()["u"].made.model_version == 1


def test_who_has_seen_all_that_an_old_view_holds_waits(world: World) -> None:
    """Their own click tells of an item that the view does not have: there are more."""
    world.publish_view(at(view_of(items(1)), 0, 0))
    role = world.role()
    world.click("u", "i0")
    world.run(role)
    assert world.sent() == []
    assert world.value("gsr_publisher_due_users") == 1
    world.publish_view(view_of(items(3)))
    world.run(role)
    assert world.lists()["u"].items == ["i1", "i2"]
    assert world.value("gsr_publisher_due_users") == 0


def test_who_has_seen_everything_is_told_so(world: World) -> None:
    """The view knows of the newest click: then an empty list is the truth."""
    world.publish_view(at(view_of(items(1)), 10, 10))
    role = world.role()
    world.click("u", "i0")
    world.run(role)
    assert world.lists()["u"].items == []


def test_who_waits_and_is_forgotten_gets_nothing(world: World) -> None:
    """Waiting for a richer view does not outlast the user, nor the partition."""
    world.publish_view(at(view_of(items(1)), 0, 0))
    role = world.role()
    world.click("u", "i0")
    world.run(role)
    world.forget("u")
    world.run(role)
    world.publish_view()
    world.run(role)
    assert world.sent() == []


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_short_lists_are_filled_once_there_are_more_items(
    world: World, count: int, *, restarted: bool
) -> None:
    """At once, without a click or a model, and also where another process sent them."""
    world.publish_view(at(view_of(items(count)), 100, 100))
    role = world.role()
    for user in USERS:
        world.click(user, "i0")
    world.run(role)
    assert {len(one.items) for one in world.lists().values()} == {count - 1}
    if restarted:
        role.close()
        world.publish_view()
        role = world.role()
    else:
        world.publish_view()
    world.run(role)
    lists = world.lists().values()
    assert {(len(one.items), one.made.reason) for one in lists} == {(5, "items")}


def test_lists_that_cannot_be_longer_are_sent_once(world: World) -> None:
    """A small catalogue keeps lists short; nothing is sent again for a newer view, or a restart."""
    world.publish_view(at(view_of(items(3)), 100, 100))
    role = world.role()
    world.click("u", "i0")
    world.run(role)
    for _ in range(3):
        world.publish_view(at(view_of(items(3)), 100, 100))
        world.run(role)
    role.close()
    world.run(world.role())
    assert [one.items for one in world.sent()] == [["i1", "i2"]]


def test_a_lifted_block_fills_lists(world: World) -> None:
    """What may be recommended again is, to those who have room for it."""
    blocked = list(items(28))
    for item in blocked:
        world.control(ItemControl(item_id=item, available=False))
    world.publish_view(at(view_of(ITEMS), 100, 100))
    role = world.role()
    world.click("u", "i28", "i29")
    world.run(role)
    assert world.lists()["u"].items == []
    for item in blocked[:2]:
        world.control(ItemControl(item_id=item, available=True))
    world.run(role)
    assert world.lists()["u"].items == blocked[:2]


def test_a_list_of_which_a_take_down_leaves_nothing_is_withdrawn(tmp_path: Path) -> None:
    """Who is not in memory gets no new list at once: none is better than an empty one."""
    world = World(tmp_path, {"kept_users": 10, "list_length": 1})
    world.publish_view()
    role = world.role()
    for user in USERS:
        world.click(user, "i29")
        world.run(role, 0.1)
    world.control(ItemControl(item_id="i0", available=False))
    world.run(role)
    left = [one for one in world.lists().values() if one.record is None]
    assert left
    assert all(one.partition == partition_of(one.user_id.encode(), 2) for one in left)
    assert all(one.items == ["i1"] for one in world.lists().values() if one.record is not None)


def test_a_held_partition_is_left_alone(world: World) -> None:
    """Users who left with their partition are not made lists for when a view comes."""
    world.publish_view(at(view_of(items(1)), 0, 0))
    role: PublisherRole = world.role()
    for user in USERS:
        world.click(user, "i0")
    world.run(role)
    role._partitions.revoked([0, 1])  # noqa: SLF001 - what the reader calls
    world.publish_view()
    world.run(role)
    assert world.sent() == []
