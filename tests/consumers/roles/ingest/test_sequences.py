"""Sequences: what others learn of a user whose clicks were applied."""

from pathlib import Path

import pytest

from tests.consumers.ingest_world import World, clicks_of

USERS = [f"u{n}" for n in range(12)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_clicks_become_sequences(world: World) -> None:
    """A touched user's sequence says what the buffer holds, soon."""
    role = world.role()
    world.send(("u", "a"), ("u", "b"))
    clicked_at = world.clock.time() - 0.001
    world.run(role, 0.2)
    record = world.newest("u")
    assert record.items == ["a", "b"]
    assert record.events == ["click", "click"]
    assert record.source_offset == 1
    assert record.next_offset == 2
    assert record.last_click_at == record.accepted_at == clicked_at
    role.close()


def test_sequences_are_coalesced(world: World) -> None:
    """Clicks that come within the linger make one record."""
    role = world.role()
    for _ in range(10):
        world.send(("u", "a"), ("u", "b"))
        role.step()
    world.run(role, 0.2)
    assert len(world.sequences()["u"]) < 5
    assert len(world.newest("u").items) == 20
    role.close()


def test_sequences_lie_in_their_source_partition(world: World) -> None:
    """The publisher's partitions are those of the clicks."""
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(role, 0.3)
    places = {key: batch.partition for batch in world.batches("clicks") for key in batch.keys}
    for batch in world.batches("sequences"):
        assert {places[key] for key in batch.keys} == {batch.partition}
    role.close()


def test_an_item_that_left_is_still_seen(tmp_path: Path) -> None:
    """Items beyond the state's limit are no longer named, but stay in the seen filter."""
    world = World(tmp_path, partitions=1)
    world.config = world.config.with_values({"state": {"max_items": 2}})
    role = world.role()
    world.send(("u", "a"), ("v", "b"), ("v", "c"), ("v", "d"), ("u", "d"))
    world.run(role, 0.3)
    assert world.newest("u").items == ["d"]
    assert world.newest("u").seen != ""
    role.close()


def test_forget(world: World) -> None:
    """A forget record brings a tombstone; a user who was never known brings none."""
    role = world.role()
    world.send(("u", "a"))
    world.run(role, 0.2)
    world.send_raw(b"u", None)
    world.run(role, 0.2)
    assert world.sequences()["u"][-1] is None
    world.send(("u", "b"))
    world.run(role, 0.2)
    assert world.newest("u").items == ["b"]
    role.close()


def test_the_byte_rate_bounds_sequences_and_nothing_else(tmp_path: Path) -> None:
    """In a bulk catch-up state is built at full speed; sequences follow, coalesced."""
    world = World(tmp_path, {"sequence_bytes_per_second": 4000.0})
    users = [f"user-{n}" for n in range(300)]
    world.send(*clicks_of(users, 3))
    role = world.role()
    world.run(role, 1.0)
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 900
    assert len(world.sequences()) < 300
    world.run(role, 60.0)
    assert {len(world.newest(user).items) for user in users} == {3}
    assert sum(map(len, world.sequences().values())) < 600
    role.close()


def test_a_waiting_list_that_grows_too_long_is_read_from_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays bounded, and nobody is left out."""
    monkeypatch.setattr("consumers.roles.ingest.partition_ingest.MAX_WAITING_USERS", 20)
    world = World(tmp_path, {"sequence_bytes_per_second": 20_000.0, "poll_records": 50})
    users = [f"user-{n}" for n in range(300)]
    world.send(*clicks_of(users, 2))
    role = world.role()
    world.run(role, 20.0)
    assert {len(world.newest(user).items) for user in users} == {2}
    world.send(("user-7", "late"))
    world.run(role, 0.5)
    assert world.newest("user-7").items[-1] == "late"
    role.close()
