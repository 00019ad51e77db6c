"""`sequences` is emptied: lists stay until ingest has sent everything again."""

import logging
from pathlib import Path

import pytest

from consumers.roles.publisher.role import PublisherRole
from consumers.topics.sequences_completeness import NOTHING_TO_SEND, RESENDING, note_completeness
from tests.consumers.emptied_topic import empty
from tests.consumers.publisher_world import World

USERS = [f"u{n}" for n in range(12)]
TOPIC = "sequences"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Have everybody's list on the topic, and a view to make others from."""
    world = World(tmp_path)
    world.publish_view()
    role = world.role()
    for user in USERS:
        world.click(user, "i3")
    world.run(role)
    role.close()
    assert set(world.lists()) == set(USERS)
    return world


def under_way(world: World) -> None:
    """Say what ingest says before it sends everything again."""
    note_completeness(world.log, world.config, {0: RESENDING, 1: RESENDING})


def send_again(world: World, users: list[str]) -> None:
    """Have ingest send the sequences of `users` as they were."""
    for user in users:
        world.offset = USERS.index(user) + 1
        world.click(user, "i3", repeat=True)


def done(world: World) -> None:
    """Say what ingest says when everybody's sequence is there."""
    note_completeness(world.log, world.config, world.log.end_offsets(TOPIC))


def test_lists_stay_until_everybody_is_there(world: World) -> None:
    """A topic that holds only some says nothing of the others; then it does."""
    empty(world.log, TOPIC)
    under_way(world)
    role = world.role()
    send_again(world, USERS[:4])
    world.run(role, 3.0)
    assert all(one.record is not None for one in world.lists().values())
    assert not role.checks()["sequences"]
    send_again(world, USERS[4:9])
    done(world)
    world.run(role, 3.0)
    assert {user for user, one in world.lists().items() if one.record is None} == set(USERS[9:])
    assert all(role.checks().values())
    assert world.value("gsr_publisher_users") == 9


def test_nobody_gets_the_same_list_again(world: World) -> None:
    """Who has a list that knows of the newest click needs no other."""
    empty(world.log, TOPIC)
    under_way(world)
    role = world.role()
    send_again(world, USERS)
    done(world)
    world.run(role, 3.0)
    assert len(world.sent()) == len(USERS)


def test_lists_come_back_with_the_sequences(world: World) -> None:
    """Where both topics were emptied."""
    empty(world.log, TOPIC)
    empty(world.log, world.config.log.recommendations)
    under_way(world)
    role = world.role()
    world.run(role)
    assert not role.checks()["sequences"]
    send_again(world, USERS)
    done(world)
    world.run(role, 3.0)
    assert {len(one.items) for one in world.lists().values()} == {5}
    assert set(world.lists()) == set(USERS)
    assert all(role.checks().values())


def test_an_empty_topic_without_ingest(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is withdrawn on suspicion, and it is said who has to run."""
    empty(world.log, TOPIC)
    with caplog.at_level(logging.WARNING):
        world.run(world.role(), 5.0)
    assert all(one.record is not None for one in world.lists().values())
    assert caplog.text.count("sends the sequences again") + caplog.text.count("as it runs") == 2


def test_a_topic_that_is_emptied_under_a_running_publisher(world: World) -> None:
    """Where sequences were, there are others': the partition is read anew."""
    role: PublisherRole = world.role()
    world.run(role)
    empty(world.log, TOPIC)
    world.run(role, 3.0)
    under_way(world)
    send_again(world, USERS)
    offset = world.click("u0", "i3", "i4")
    done(world)
    world.run(role, 3.0)
    assert world.lists()["u0"].made.source_offset == offset
    assert all(one.record is not None for one in world.lists().values())
    assert all(role.checks().values())


def test_a_record_in_anothers_place_makes_no_list(world: World) -> None:
    """Between the emptying and the reading anew, no user gets a list made for another."""
    world.config = world.config.with_values({"publisher": {"kept_record_bytes": 1}})
    role = world.role()
    world.run(role)
    empty(world.log, TOPIC)
    for user in reversed(USERS):
        world.click(user, "i9")
    world.publish_model()
    world.run(role, 5.0)
    for user, one in world.lists().items():
        assert one.made.user_id == user
        assert "i9" not in one.items


def test_nobody_is_forgotten_before_all_that_was_sent_can_be_read(world: World) -> None:
    """Ingest's word may be ahead of what can be read, where a transaction has just ended."""
    empty(world.log, TOPIC)
    under_way(world)
    role = world.role()
    send_again(world, USERS[:4])
    ends = world.log.end_offsets(TOPIC)
    note_completeness(world.log, world.config, {p: end + len(USERS) for p, end in ends.items()})
    world.run(role, 3.0)
    assert all(one.record is not None for one in world.lists().values())
    assert role.checks()["sequences"]


def test_a_state_that_knows_of_nobody_holds_nobody_up(world: World) -> None:
    """Everybody has expired: the lists stay, and the publisher is ready."""
    empty(world.log, TOPIC)
    under_way(world)
    role = world.role()
    world.run(role, 3.0)
    assert not role.checks()["sequences"]
    note_completeness(world.log, world.config, {0: NOTHING_TO_SEND, 1: NOTHING_TO_SEND})
    world.run(role, 3.0)
    assert role.checks()["sequences"]
    assert all(one.record is not None for one in world.lists().values())
