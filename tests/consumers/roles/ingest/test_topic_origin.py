"""Another log under the same name: state goes on with the topic that it was made from alone."""

import logging
from pathlib import Path

import pytest

from consumers.errors import OtherTopicError
from consumers.roles.ingest.role import IngestRole
from consumers.roles.ingest.topic_origin import CLICKS, TopicOrigin
from stream.clock import ManualClock
from stream.errors import LogUnavailableError
from stream.log.embedded.memory import MemoryLog
from stream.state.checkpoint import Checkpoint
from stream.state.store import PartitionStore
from tests.consumers.ingest_world import NOW, LogWithoutIds, World, clicks_of

USERS = [f"u{n}" for n in range(6)]


def worked(world: World, clicks: int = 3) -> World:
    """Let an ingest apply clicks, publish a checkpoint and stop."""
    role = world.role()
    world.send(*clicks_of(USERS, clicks))
    world.run(role, 6.0)
    role.close()
    return world


def refused(world: World) -> OtherTopicError:
    """Return why an ingest does not start."""
    role = world.role()
    with pytest.raises(OtherTopicError) as caught:
        until_open(world, role)
    role.close()
    return caught.value


def until_open(world: World, role: IngestRole) -> None:
    """Step until every partition is open; restoring happens on a thread."""
    for _ in range(10_000):
        role.step()
        if role.checks()["assigned"]:
            return
        world.clock.sleep(0.01)
    pytest.fail("the partitions do not open")


def topic_of(world: World, partition: int = 0) -> str | None:
    """Return the id of the topic that a state says it is made from."""
    with Checkpoint.open(world.config.ingest_directory / f"partition-{partition}") as state:
        return state.meta.topic_ids.get(CLICKS)


@pytest.mark.parametrize("clicks", [0, 3, 30], ids=["empty", "as long", "longer"])
def test_a_topic_made_anew_is_refused_whatever_its_length(tmp_path: Path, clicks: int) -> None:
    """Its records lie at the offsets of clicks that the state never saw."""
    world = worked(World(tmp_path))
    before = world.state()
    other = World(tmp_path, clock=world.clock)
    other.send(*clicks_of(["w"], clicks))
    error = refused(other)
    clicks_topic = other.config.log.clicks
    ids = (world.topics.topic_ids([clicks_topic]), other.topics.topic_ids([clicks_topic]))
    assert (error.made_from, error.found) == tuple(each[clicks_topic] for each in ids)
    for told in (clicks_topic, "--state", f"ingest.accept_topic={error.found}", "gsr bootstrap"):
        assert told in str(error)
    assert other.state() == before
    assert other.sequences() == {}


def test_a_topic_made_anew_between_joining_and_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its offsets, asked by name, are no reason to say that the old one lost records."""
    world = worked(World(tmp_path))
    other, role = World(tmp_path / "other", clock=world.clock), world.role()
    for asked in ("topic_ids", "start_offsets", "end_offsets"):
        monkeypatch.setattr(world.topics, asked, getattr(other.topics, asked))
    with pytest.raises(OtherTopicError) as caught:
        until_open(world, role)
    role.close()
    clicks_topic = other.config.log.clicks
    assert caught.value.found == other.topics.topic_ids([clicks_topic])[clicks_topic]


@pytest.mark.parametrize("clicks", [0, 3, 30], ids=["empty", "as long", "longer"])
def test_a_log_without_ids_is_known_by_its_records(tmp_path: Path, clicks: int) -> None:
    """The record before the position is another one, or none; in the same topic it is the same."""
    clock = ManualClock(NOW)
    world = worked(World(tmp_path, clock=clock, log=LogWithoutIds(clock)))
    worked(World(tmp_path, clock=clock, log=world.topics))
    before = world.state()
    assert str(topic_of(world)).startswith("record:")
    other = World(tmp_path, clock=clock, log=LogWithoutIds(clock))
    other.send(*clicks_of([*USERS, "w"], clicks))
    assert "--state" in str(refused(other))
    assert other.state() == before


def test_records_that_retention_took_tell_nothing(tmp_path: Path) -> None:
    """A state that waited for long goes on, as far as it is allowed to leave clicks out."""
    clock = ManualClock(NOW)
    world = worked(World(tmp_path, {"accept_gap": True}, clock=clock, log=LogWithoutIds(clock)))
    clock.sleep(30 * 86_400.0)
    assert isinstance(world.topics, MemoryLog)
    world.topics.clean(world.config.log.clicks)
    worked(world)


def test_brokers_that_give_ids_by_now(tmp_path: Path) -> None:
    """After their upgrade the record says that the topic is the same, and the id takes over."""
    clock = ManualClock(NOW)
    log = LogWithoutIds(clock)
    world = worked(World(tmp_path, clock=clock, log=log))
    log.gives_ids = True
    worked(world)
    given = log.topic_ids([world.config.log.clicks])[world.config.log.clicks]
    assert given is not None
    assert topic_of(world) == given


def test_a_state_that_does_not_say_is_tied_to_the_topic_it_meets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one from before there were ids; the next topic is refused."""
    monkeypatch.setattr(PartitionStore, "remember_topic", lambda *_: None)
    clock = ManualClock(NOW)
    world = worked(World(tmp_path, clock=clock, log=LogWithoutIds(clock)))
    assert topic_of(world) is None
    other = World(tmp_path, clock=world.clock)
    other.send(*clicks_of(USERS, 10))
    with caplog.at_level(logging.WARNING):
        role = other.role()
        until_open(other, role)
    role.close()
    assert "did not say which before" in caplog.text
    assert topic_of(other) == other.topics.topic_ids([other.config.log.clicks])["clicks"]
    refused(World(tmp_path, clock=world.clock))


def test_a_checkpoint_of_another_topic_takes_no_place(tmp_path: Path) -> None:
    """Neither that of a state which is behind it, nor that of none."""
    foreign = worked(World(tmp_path / "foreign"), clicks=20)
    here = worked(World(tmp_path / "here"))
    before = here.state()
    for directory in (tmp_path / "here", tmp_path / "empty"):
        world = World(directory, {"restore_lead_records": 1}, clock=here.clock, log=here.topics)
        here.send(*clicks_of(USERS, 30))
        world.artifacts = foreign.artifacts
        assert "checkpoint" in str(refused(world)) or directory.name == "empty"
    assert here.state() == before


def test_a_topic_that_was_put_back_may_be_named(tmp_path: Path) -> None:
    """A restored topic has another id; who says so goes on, and needs to say it once."""
    world = worked(World(tmp_path))
    restored = World(tmp_path, clock=world.clock)
    restored.send(*clicks_of(USERS, 3))
    found = refused(restored).found
    accepting = World(tmp_path, {"accept_topic": found}, clock=world.clock, log=restored.topics)
    accepting.send(("new", "i"))
    worked(accepting, clicks=0)
    assert topic_of(accepting) == found
    worked(World(tmp_path, clock=world.clock, log=restored.topics), clicks=0)


def test_sequences_sent_of_another_topic_do_not_count(tmp_path: Path) -> None:
    """A new state on a topic with a saved position far ahead sends its sequences after a crash."""
    world = World(tmp_path)
    group = f"{world.config.ingest.group}-sequences"
    world.topics.save_positions(group, world.config.log.clicks, {0: 500, 1: 500})
    role = world.role()
    until_open(world, role)
    role.close()
    assert world.topics.saved_positions(group, world.config.log.clicks) == {0: 0, 1: 0}


def test_a_log_that_is_away_while_a_state_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is let go of, and opened at the next try."""
    world = worked(World(tmp_path))
    tie, failures = TopicOrigin.tie, [LogUnavailableError("away")]

    def fail_once(origin: TopicOrigin, store: PartitionStore) -> None:
        if failures:
            raise failures.pop()
        tie(origin, store)

    monkeypatch.setattr(TopicOrigin, "tie", fail_once)
    role = world.role()
    with pytest.raises(LogUnavailableError):
        role.step()
    until_open(world, role)
    role.close()
