"""The publisher keeps the contract of the recommendations topic."""

from dataclasses import replace
from pathlib import Path

import pytest

from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import ServingView
from stream.errors import FencedError
from stream.events.records.item_control import ItemControl
from stream.log.embedded.storage_reader import StorageReader
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import ITEMS, World
from tests.consumers.views import NOW, view_of


def counting(view: ServingView) -> ServingView:
    """Have a view know of every click so far, and of some more."""
    return replace(view, positions={0: 100, 1: 100})


def test_a_click_brings_a_list(world: World, role: PublisherRole) -> None:
    """The list says which click it knows, and lies in its user's partition."""
    offset = world.click("u", "i3")
    clicked_at = world.clock.time()
    world.run(role)
    one = world.lists()["u"]
    assert one.items == ["i0", "i1", "i2", "i4", "i5"]
    assert one.partition == partition_of(b"u", 2)
    assert one.made.source_offset == offset
    assert one.made.last_click_at == clicked_at
    assert one.made.reason == "click"
    assert one.made.model_version == 0
    assert clicked_at <= one.made.generated_at <= clicked_at + 0.1
    assert world.value("gsr_publisher_click_to_list_seconds_count") == 1


def test_every_click_brings_a_list_even_the_same(world: World, role: PublisherRole) -> None:
    """A click is always answered, so that readers see how fresh a list is."""
    world.click("u", "i20")
    world.run(role)
    offset = world.click("u", "i20", "i21")
    world.run(role)
    first, second = world.sent()
    assert first.items == second.items
    assert second.made.source_offset == offset


def test_clicks_are_coalesced(world: World, role: PublisherRole) -> None:
    """Ten clicks that wait together bring one list, of the newest."""
    for n in range(10):
        offset = world.click("u", *[f"i{m}" for m in range(n + 1)])
    world.run(role)
    (one,) = world.sent()
    assert one.made.source_offset == offset
    assert not set(one.items) & {f"i{m}" for m in range(10)}


def test_a_repeated_sequence_is_passed_over(world: World, role: PublisherRole) -> None:
    """After a crash ingest sends the same record again: nothing is due."""
    world.click("u", "i3")
    world.run(role)
    world.click("u", "i3", repeat=True)
    world.run(role)
    assert len(world.sent()) == 1


def test_seen_items_stay_out(world: World, role: PublisherRole) -> None:
    """Neither the buffer nor the seen filter comes back."""
    world.click("u", "i0", "i2", seen=("i1", "i4"))
    world.run(role)
    assert world.lists()["u"].items == ["i3", "i5", "i6", "i7", "i8"]


def test_repeats_by_choice_but_never_the_hidden(tmp_path: Path) -> None:
    """With repeats allowed, seen items may come back; hidden ones may not."""
    world = World(tmp_path, {"allow_repeats": True})
    world.publish_view()
    role = world.role()
    world.click("u", "i0", "i1", events=["click", "hide"], seen=("i2",))
    world.run(role)
    assert world.lists()["u"].items == ["i0", "i2", "i3", "i4", "i5"]


def test_a_catalogue_that_is_used_up(tmp_path: Path) -> None:
    """A user who has seen everything gets a short list, or an empty one."""
    world = World(tmp_path)
    world.publish_view(counting(view_of({"i0": 2.0, "i1": 1.0})))
    role = world.role()
    world.click("half", "i0")
    world.click("full", "i0", "i1")
    world.run(role)
    assert world.lists()["half"].items == ["i1"]
    assert world.lists()["full"].items == []


@pytest.mark.parametrize(
    ("items", "events"), [(["unknown"], None), (["i0"], ["hide"]), (["i0"], ["seen"])]
)
def test_a_user_without_usable_history_gets_popularity(
    world: World, role: PublisherRole, items: list[str], events: list[str] | None
) -> None:
    """Cold users get what is popular, without what they may not get, and it is said."""
    world.click("u", *items, events=events)
    world.run(role)
    one = world.lists()["u"]
    assert one.made.reason == "cold"
    assert one.items == [item for item in ITEMS if item not in items][:5]


def test_the_graph_speaks_before_any_model(world: World) -> None:
    """Version 0 follows edges from the user's clicks."""
    world.publish_view(view_of(ITEMS, {("i3", "i29"): 50.0}))
    role = world.role()
    world.click("u", "i3")
    world.run(role)
    assert "i29" in world.lists()["u"].items


def test_waits_for_the_first_view(world: World) -> None:
    """Before there is a view nothing is sent, and nothing is lost."""
    role = world.role()
    world.click("u", "i3")
    world.run(role)
    assert world.sent() == []
    assert not all(role.checks().values())
    world.publish_view()
    world.run(role)
    assert list(world.lists()) == ["u"]
    assert all(role.checks().values())


# -- forgetting ----------------------------------------------------------------------------------


def test_a_forgotten_user_loses_the_list(world: World, role: PublisherRole) -> None:
    """A sequence tombstone brings a recommendation tombstone, once."""
    world.click("u", "i3")
    world.run(role)
    world.forget("u")
    world.forget("u")
    world.run(role)
    assert [one.record is None for one in world.sent()] == [False, True]


def test_who_comes_back_begins_anew(world: World, role: PublisherRole) -> None:
    """Forgotten and clicking again in one breath: the old list goes, a new one comes."""
    world.click("u", "i3")
    world.run(role)
    world.forget("u")
    world.click("u", "i7")
    world.run(role)
    assert [one.record is None for one in world.sent()] == [False, True, False]
    assert "i3" in world.lists()["u"].items


def test_forgotten_before_the_list_was_made(world: World, role: PublisherRole) -> None:
    """Nothing is sent for a user who is gone before the turn comes."""
    world.click("u", "i3")
    world.forget("u")
    world.run(role)
    assert world.sent() == []


def test_forgotten_while_no_publisher_ran(world: World, role: PublisherRole) -> None:
    """A restart finds lists without a sequence and withdraws them."""
    world.click("u", "i3")
    world.run(role)
    role.close()
    world.forget("u")
    world.run(world.role())
    assert world.lists()["u"].record is None


# -- items ---------------------------------------------------------------------------------------


def test_a_take_down_changes_the_lists_that_hold_the_item(
    world: World, role: PublisherRole
) -> None:
    """Only lists that hold it are sent again, and the default list."""
    world.click("holder", "i29")
    world.click("other", "i0", "i1", "i2", "i3", "i4")
    world.run(role)
    world.control(ItemControl(item_id="i1", available=False))
    world.run(role)
    assert [one.user_id for one in world.sent()].count("other") == 1
    one = world.lists()["holder"]
    assert one.made.reason == "items"
    assert one.items == ["i0", "i2", "i3", "i4", "i5"]
    assert "i1" not in world.default()[-1].items


def test_an_item_expires_by_itself(world: World, role: PublisherRole) -> None:
    """Nothing has to arrive when an item's time is up."""
    world.click("u", "i29")
    world.control(ItemControl(item_id="i0", expires_at=NOW + 5.0))
    world.run(role)
    assert "i0" in world.lists()["u"].items
    world.run(role, 5.0)
    assert "i0" not in world.lists()["u"].items


def test_taken_down_while_no_publisher_ran(world: World, role: PublisherRole) -> None:
    """A restart finds the lists that hold a blocked item."""
    world.click("u", "i29")
    world.run(role)
    role.close()
    world.control(ItemControl(item_id="i0", available=False))
    world.run(world.role())
    assert "i0" not in world.lists()["u"].items


# -- memory --------------------------------------------------------------------------------------


@pytest.fixture
def crowded(tmp_path: Path) -> tuple[World, PublisherRole]:
    """Have twenty users click under a publisher that keeps ten in memory."""
    world = World(tmp_path, {"kept_users": 10})
    world.publish_view()
    role = world.role()
    for n in range(20):
        world.click(f"u{n}", "i29")
        world.run(role, 0.1)
    world.run(role)
    assert world.value("gsr_publisher_users") <= 10
    return world, role


def test_users_beyond_the_limit_leave_memory(crowded: tuple[World, PublisherRole]) -> None:
    """They keep their lists, and get new ones when they come back."""
    world, role = crowded
    assert len(world.lists()) == 20
    offset = world.click("u0", "i29", "i0")
    world.run(role)
    assert world.lists()["u0"].made.source_offset == offset


def test_a_take_down_reaches_those_who_left_memory(crowded: tuple[World, PublisherRole]) -> None:
    """Their lists lose the item; nothing else about them changes."""
    world, role = crowded
    before = world.lists()["u0"].made
    world.control(ItemControl(item_id="i1", available=False))
    world.run(role)
    lists = world.lists()
    assert all("i1" not in one.items for one in lists.values())
    assert lists["u0"].items == ["i0", "i2", "i3", "i4"]
    assert lists["u0"].made.reason == "items"
    assert lists["u0"].made.source_offset == before.source_offset


def test_who_left_memory_is_forgotten_too(crowded: tuple[World, PublisherRole]) -> None:
    """The list of a user who is not kept is withdrawn all the same."""
    world, role = crowded
    world.forget("u0")
    world.run(role)
    assert world.lists()["u0"].record is None


# -- restarts and rivals -------------------------------------------------------------------------


def test_a_restart_sends_what_is_missing_and_no_more(world: World, role: PublisherRole) -> None:
    """Lists that are there are recognised; clicks since then are coalesced and served."""
    for n in range(10):
        world.click(f"u{n}", "i3")
    world.run(role)
    role.close()
    for _ in range(3):
        world.click("u4", "i3", "i5")
    world.click("new", "i3")
    role = world.role()
    world.run(role)
    users = [one.user_id for one in world.sent()]
    assert len(users) == 12
    assert users.count("u4") == 2
    assert users.count("new") == 1


def test_the_later_publisher_wins(world: World, role: PublisherRole) -> None:
    """Two publishers cannot both append: the earlier lets go, and stops if that was no move."""
    later = world.role()
    world.run(later, 0.1)
    world.click("u", "i3")
    world.run(role, 1.0)
    assert world.sent() == []
    world.run(later)
    assert len(world.sent()) == 1
    with pytest.raises(FencedError, match="stop one of the two"):
        world.run(role, 130.0)


def test_positions_tell_lag(world: World, role: PublisherRole) -> None:
    """The saved positions are those up to which every due list is sent."""
    group, topic = world.config.publisher.group, world.config.log.sequences
    world.click("u", "i3")
    world.run(role, 2.0)
    role.close()
    assert world.log.saved_positions(group, topic) == world.log.end_offsets(topic)


def test_default_list(world: World, role: PublisherRole) -> None:
    """It is there as soon as there is a view, and is sent again only when it changed."""
    world.publish_view()
    world.run(role, 12.0)
    (one,) = world.default()
    assert one.items[:3] == ["i0", "i1", "i2"]
    world.publish_view(view_of({**ITEMS, "new": 1e6}))
    world.run(role, 6.0)
    assert world.default()[-1].items[0] == "new"


def test_rubbish_on_the_topics_is_passed_over(
    world: World, role: PublisherRole, caplog: pytest.LogCaptureFixture
) -> None:
    """A record that is no sequence is said and left out; the rest goes on, also after a restart."""
    for topic in (world.config.log.sequences, world.config.log.recommendations):
        world.log.writer(topic).append([Outgoing(b"x", b"{rubbish")])
    world.click("u", "i3")
    world.run(role)
    role.close()
    world.run(world.role())
    assert "'x'" in caplog.text


def test_a_user_who_is_due_twice_is_counted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By a click and by a model: one list is to be made."""
    world = World(tmp_path)
    world.publish_view()
    world.publish_model()
    world.click("ann", "i1")
    world.clock.sleep(1.0)
    caplog.set_level("INFO")
    role = world.role()
    world.run(role, 1.0)
    role.close()
    assert "1 users, 1 of them due" in caplog.text


def test_not_ready_while_sequences_cannot_be_read(
    world: World, role: PublisherRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sequence is no lag to speak of, but every later list waits behind it."""
    world.run(role, 1.1)
    assert role.checks()["progressing"]
    world.click("u", "i3")
    with monkeypatch.context() as patch:
        patch.setattr(StorageReader, "poll", lambda *_arguments: [])
        world.run(role, world.config.process.stalled_seconds + 2.0)
    assert not role.checks()["progressing"]
    assert world.value("gsr_publisher_lag_records") == 1
    standing = world.clock.time() - world.value("gsr_publisher_progress_timestamp_seconds")
    assert standing > world.config.process.stalled_seconds
    world.run(role, 2.0)
    assert role.checks()["progressing"]
