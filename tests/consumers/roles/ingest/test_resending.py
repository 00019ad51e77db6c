"""What `sequences` has lost is sent again from the state."""

import logging
from pathlib import Path

import pytest

from consumers.roles.ingest.role import IngestRole
from consumers.topics.sequences_completeness import NOTHING_TO_SEND, RESENDING, read_completeness
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog
from stream.state.store import PartitionStore
from tests.consumers.emptied_topic import empty
from tests.consumers.ingest_world import World, clicks_of

USERS = [f"u{n}" for n in range(60)]
TOPIC = "sequences"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def served(world: World, *, each: int = 2) -> None:
    """Have everybody's sequence sent, and ingest stopped."""
    role = world.role()
    world.send(*clicks_of(USERS, each))
    world.run(role)
    role.close()
    assert set(world.sequences()) == set(USERS)


def crash(role: IngestRole) -> None:
    """Leave without a word, except for the locks."""
    role._failed = True  # noqa: SLF001 - as after an error
    role.close()


def test_an_emptied_topic_is_filled_at_the_next_start(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has to click for it, and it is said."""
    served(world)
    before = {user: world.newest(user) for user in USERS}
    empty(world.topics, TOPIC)
    with caplog.at_level(logging.WARNING):
        world.run(world.role(), 12.0)
    assert {user: world.newest(user) for user in USERS} == before
    assert "has lost sequences" in caplog.text
    assert world.value("gsr_ingest_resending_partitions") == 0


def test_an_embedded_topic_whose_file_was_removed(tmp_path: Path) -> None:
    """The positions that lie in that file are gone too."""
    world = World(tmp_path / "state")
    for round_ in range(2):
        log = EmbeddedLog(tmp_path / "log", world.clock)
        for spec in world.config.log.topics():
            log.create_topic(spec)
        world.topics = log
        if round_ == 0:
            served(world)
        else:
            world.run(world.role())
            assert set(world.sequences()) == set(USERS)
        log.close()
        for file in (tmp_path / "log").glob(f"{TOPIC}.db*"):
            file.unlink()


def test_everybody_once_and_not_at_every_start(world: World) -> None:
    """A topic that holds everybody is left alone."""
    served(world)
    empty(world.topics, TOPIC)
    for _ in range(3):
        role = world.role()
        world.run(role)
        role.close()
    assert {len(records) for records in world.sequences().values()} == {1}


@pytest.mark.parametrize("crashes", [1, 3])
def test_a_crash_midway_leaves_nobody_out(
    world: World, monkeypatch: pytest.MonkeyPatch, crashes: int
) -> None:
    """That the topic holds something does not mean that it holds everybody."""
    monkeypatch.setattr("consumers.roles.ingest.sequences.USERS_PER_APPEND", 7)
    monkeypatch.setattr("consumers.roles.ingest.user_chunks.CHUNK_USERS", 10)
    served(world)
    empty(world.topics, TOPIC)
    for _ in range(crashes):
        role = world.role()
        for _ in range(3):
            role.step()
            world.clock.sleep(0.1)
        crash(role)
        assert 0 < len(world.sequences()) < len(USERS)
        assert read_completeness(world.topics, world.config) == {0: RESENDING, 1: RESENDING}
    role = world.role()
    world.run(role, 2.5)
    assert set(world.sequences()) == set(USERS)
    assert min(read_completeness(world.topics, world.config).values()) > 0
    role.close()


@pytest.mark.parametrize("clicks", [[], ["u0"]])
def test_a_topic_that_is_emptied_while_ingest_runs(world: World, clicks: list[str]) -> None:
    """Within seconds where nothing is sent, and at once where something is."""
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(role)
    late = [f"late{n}" for n in range(5)]
    world.send(*clicks_of(late, 1))  # on no disk yet when the topic goes
    world.run(role, 0.2)
    empty(world.topics, TOPIC)
    world.send(*((user, "i99") for user in clicks))
    world.run(role, 12.0)
    assert set(world.sequences()) == {*USERS, *late}
    assert RESENDING not in read_completeness(world.topics, world.config).values()
    role.close()


def test_clicks_meanwhile_are_not_held_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """New clicks are applied and told while the old sequences go out at their bounded rate."""
    served(world)
    empty(world.topics, TOPIC)
    world.config = world.config.with_values({"ingest": {"sequence_bytes_per_second": 1000.0}})
    monkeypatch.setattr("consumers.roles.ingest.user_chunks.CHUNK_USERS", 10)
    role = world.role()
    world.run(role, 0.5)
    world.send(("u0", "fresh"), ("new", "fresh"))
    world.run(role, 0.5)
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 2
    world.run(role, 10.0)
    assert len(world.sequences()) < len(USERS)
    assert world.value("gsr_ingest_resending_partitions") == 2
    world.run(role, 60.0)
    assert set(world.sequences()) == {*USERS, "new"}
    assert world.newest("u0").items[-1] == "fresh"
    role.close()


def test_forgotten_users_stay_forgotten(world: World) -> None:
    """Whoever was forgotten while the topic was empty gets the tombstone, the others their own."""
    served(world)
    empty(world.topics, TOPIC)
    world.send_raw(b"u3", None)
    role = world.role()
    world.run(role)
    assert world.sequences()["u3"][-1] is None
    assert all(world.newest(user).items for user in USERS if user != "u3")
    role.close()


def test_a_waiting_list_that_is_dropped_loses_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was to be told only because the topic was emptied is not in the clicks that come."""
    served(world)
    empty(world.topics, TOPIC)
    monkeypatch.setattr("consumers.roles.ingest.partition_ingest.MAX_WAITING_USERS", 20)
    monkeypatch.setattr("consumers.roles.ingest.user_chunks.CHUNK_USERS", 15)
    monkeypatch.setattr("consumers.roles.ingest.sequences.USERS_PER_APPEND", 5)
    role = world.role()
    role.step()
    world.send(*clicks_of([f"crowd{n}" for n in range(100)], 1))
    world.run(role, 30.0)
    assert set(USERS) <= set(world.sequences())
    role.close()


def test_clicks_that_left_the_log_before_their_users_were_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The state knows what the log no longer does."""
    served(world)
    world.config = world.config.with_values({"ingest": {"sequence_linger_seconds": 1000.0}})
    role = world.role()
    late = [f"late{n}" for n in range(20)]
    world.send(*clicks_of(late, 1), *clicks_of(["busy", "busier", "busiest", "lazy"], 800))
    world.run(role, 3.0)
    crash(role)
    assert not set(late) & set(world.sequences())
    world.clock.sleep(8 * 86_400.0)
    assert isinstance(world.topics, MemoryLog)
    world.topics.clean("clicks")
    world.config = world.config.with_values({"ingest": {"sequence_linger_seconds": 0.01}})
    role = world.role()
    world.run(role, 2.0)
    assert set(late) <= set(world.sequences())
    assert "has lost sequences" in caplog.text
    role.close()


def test_nobody_to_send_again_is_said_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else who waits for it would wait for ever."""
    served(world)
    role = world.role()
    world.run(role)
    # As when everybody has expired.
    monkeypatch.setattr(PartitionStore, "stored_user_ids", lambda *_arguments: [])
    empty(world.topics, TOPIC)
    world.run(role, 15.0)
    assert set(read_completeness(world.topics, world.config).values()) == {NOTHING_TO_SEND}
    role.close()
