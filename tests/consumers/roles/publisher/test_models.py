"""Lists follow the models that are served, and no list ever goes back to an older one."""

from dataclasses import replace
from pathlib import Path

import pytest

from consumers.roles.publisher.role import PublisherRole
from tests.consumers.publisher_world import ITEMS, World
from tests.consumers.views import view_of


def test_a_new_model_walks_over_active_users(world: World, role: PublisherRole) -> None:
    """Lists that change are sent again as reason model; those that do not are only counted."""
    for n in range(20):
        world.click(f"u{n}", f"i{n}")
    world.run(role)
    world.clock.sleep(1.0)
    world.publish_model()
    world.run(role, 3.0)
    again = [one.made for one in world.sent() if one.made.reason == "model"]
    assert {one.model_version for one in again} == {1}
    unchanged = world.value("gsr_publisher_unchanged_lists_total")
    assert len(again) + unchanged == 20
    assert world.value("gsr_publisher_walk_remaining_users") == 0


def test_a_click_under_a_newer_model_makes_a_list_due(world: World, role: PublisherRole) -> None:
    """A list of the older model for a click under the newer is sent again, changed or not."""
    world.publish_model()
    world.clock.sleep(0.001)
    world.click("u", "i3")
    role.step()  # it has not looked for models yet
    assert world.lists()["u"].made.model_version == 0
    world.run(role)
    assert [one.made.model_version for one in world.sent()] == [0, 1]


def test_versions_that_nobody_adopted_count(world: World, role: PublisherRole) -> None:
    """Of two models that came between two looks, the first decides what was due under it."""
    world.publish_model()
    world.clock.sleep(0.001)
    world.click("u", "i3")
    role.step()
    world.clock.sleep(0.001)
    world.publish_model()
    world.run(role)
    assert world.lists()["u"].made.model_version == 2


def test_a_model_newer_than_the_view(world: World, role: PublisherRole) -> None:
    """Items that only the model knows are not recommended yet."""
    world.publish_model(items=50)
    world.run(role)
    world.click("u", "i3", "i45")
    world.run(role)
    one = world.lists()["u"]
    assert one.made.model_version == 1
    assert set(one.items) <= set(ITEMS)


def test_a_view_newer_than_the_model(world: World, role: PublisherRole) -> None:
    """Items that came after the model may be recommended."""
    world.publish_model(items=10)
    world.publish_view(view_of({**dict.fromkeys(("i0", "i1", "i2", "i3"), 1.0), "new": 1e6}))
    world.run(role)
    world.click("u", "i3")
    world.run(role)
    assert sorted(world.lists()["u"].items) == ["i0", "i1", "i2", "new"]


def test_a_row_given_to_another_item(world: World, role: PublisherRole) -> None:
    """A reused row is another item: its new name is listed, its old one is unknown."""
    world.publish_model()
    world.run(role)
    view = view_of({("new" if item == "i0" else item): p for item, p in ITEMS.items()})
    generations = view.generations.copy()
    generations[0] = 1
    world.publish_view(replace(view, generations=generations))
    world.run(role)
    world.click("u", "i0")
    world.run(role)
    one = world.lists()["u"]
    assert one.made.reason == "cold"
    assert "i0" not in one.items


def test_versions_never_decrease(world: World, role: PublisherRole) -> None:
    """With an artifact store from an older backup, lists wait for a newer model."""
    for _ in range(3):
        world.publish_model()
    world.run(role)
    world.click("u", "i3")
    world.run(role)
    role.close()
    older = World(world.directory / "older", clock=world.clock)
    older.publish_view()
    older.publish_model()
    world.artifacts = older.artifacts
    role = world.role()
    world.click("u", "i3", "i4")
    world.run(role)
    assert not role.checks()["model_not_older_than_lists"]
    assert len(world.sent()) == 1
    for _ in range(3):
        older.publish_model()
    world.run(role)
    assert [one.made.model_version for one in world.sent()] == [3, 4]


def test_the_way_out_of_models_older_than_lists(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A fresh artifact store begins at 1: the warning names the command that ends the wait."""
    world = World(tmp_path / "old")
    world.publish_view()
    for _ in range(3):
        world.publish_model()
    world.click("ann", "i1")
    world.run(role := world.role())
    role.close()
    fresh = World(tmp_path / "fresh", clock=world.clock)
    fresh.log = world.log
    fresh.publish_view()
    fresh.publish_model()
    role = fresh.role()
    fresh.run(role)
    assert not role.checks()["model_not_older_than_lists"]
    assert "`gsr models rollback 1 --above 3`" in caplog.text
    assert fresh.artifacts.rollback(1, above=3) == 4
    fresh.run(role)
    assert role.checks()["model_not_older_than_lists"]
    role.close()
