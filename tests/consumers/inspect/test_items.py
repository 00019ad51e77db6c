"""What is known of an item is the sum of what the partitions' newest checkpoints know."""

from pathlib import Path

import pytest

from consumers.errors import NotFoundError
from consumers.inspect.items import item_facts
from stream.log.partitioner import partition_of
from tests.consumers.ingest_world import World
from tests.consumers.titles import store_titles

USERS = ("ann", "bob", "cid", "dan")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, {"checkpoint_interval_seconds": 0.1, "flush_interval_seconds": 0.1})
    role = world.role()
    world.send(*((user, item) for user in USERS for item in ("tea", "jam")), ("ann", "egg"))
    world.run(role)
    role.close()
    return world


def test_counters_are_summed_over_partitions(world: World) -> None:
    """Four clicks, and four times the next one; the weaker neighbour comes after the stronger."""
    assert {partition_of(user.encode(), 2) for user in USERS} == {0, 1}
    facts = item_facts(world.config, "tea", 10)
    assert facts["half_lives_seconds"] == list(world.config.state.half_lives_seconds)
    assert facts["popularity"] == pytest.approx([4.0] * 4, abs=0.01)
    assert [found["item_id"] for found in facts["neighbours"]] == ["jam", "egg"]
    assert facts["neighbours"][0]["weights"] == pytest.approx([4.0] * 4, abs=0.01)
    assert facts["neighbours"][1]["weights"] == pytest.approx([0.5] * 4, abs=0.01)
    assert facts["last_click"] == "2023-11-14T22:13:20Z"


def test_what_was_only_close_did_not_follow(world: World) -> None:
    """An item's neighbours are those that come after it, not those before."""
    found = item_facts(world.config, "jam", 10)["neighbours"]
    assert [neighbour["item_id"] for neighbour in found] == ["egg"]


def test_only_the_strongest_neighbours_are_told(world: World) -> None:
    """As many as were asked for."""
    assert [n["item_id"] for n in item_facts(world.config, "tea", 1)["neighbours"]] == ["jam"]


def test_states_keep_their_own_half_lives(world: World) -> None:
    """Whatever the configuration says now."""
    other = world.config.with_values({"state": {"half_lives_seconds": [60.0]}})
    assert item_facts(other, "tea", 10) == item_facts(world.config, "tea", 10)


def test_titles_are_told_beside_ids(world: World) -> None:
    """None where there is none."""
    store_titles(world.config, {"tea": "Green tea", "egg": "Fresh egg"})
    facts = item_facts(world.config, "tea", 10)
    assert facts["title"] == "Green tea"
    assert [found["title"] for found in facts["neighbours"]] == [None, "Fresh egg"]


def test_an_unknown_item_is_named(world: World, tmp_path: Path) -> None:
    """Where nothing was written yet it is said what to do."""
    with pytest.raises(NotFoundError, match="'pie' is not known"):
        item_facts(world.config, "pie", 10)
    with pytest.raises(NotFoundError, match="same --state"):
        item_facts(World(tmp_path / "other").config, "tea", 10)
