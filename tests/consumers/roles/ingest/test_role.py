"""Ingest: nothing lost, nothing twice, and everybody told."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from consumers.errors import ClicksExpiredError, TooManyBadError
from consumers.roles.ingest.partition_ingest import PartitionIngest
from consumers.roles.ingest.role import IngestRole
from stream.clock import ManualClock
from stream.errors import (
    LogUnavailableError,
    StateLockedError,
    StateMismatchError,
    StorageFullError,
)
from stream.events.clicks.encoding import encode_click
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.topic_storage import Cleaned
from stream.log.interface import Outgoing
from stream.state.checkpoint import Checkpoint
from stream.state.store import PartitionStore
from tests.consumers.ingest_world import NOW, LogWithoutIds, World, clicks_of

USERS = [f"u{n}" for n in range(12)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_refused_clicks_make_no_sequence(world: World) -> None:
    """A duplicate touches nobody."""
    role = world.role()
    value = encode_click("u", "a", NOW, event_id="once")
    world.send_raw(b"u", value, times=2)
    world.run(role, 0.2)
    world.send_raw(b"u", value)
    world.run(role, 0.2)
    assert len(world.sequences()["u"]) == 1
    assert world.value("gsr_ingest_clicks_total", outcome="duplicate") == 2
    role.close()


# -- bad records ---------------------------------------------------------------------------------


def test_bad_records_are_set_aside(world: World) -> None:
    """What is no click goes to the dead letters, byte for byte; the rest goes on."""
    role = world.role()
    world.send_raw(b"u", b"{oops")
    world.send_raw(b"u", b'{"user_id": "\xff"}')
    world.send(("u", "a"))
    world.run(role, 0.2)
    assert next((one.value, one.reason) for one in world.dead_letters()) == (
        b"{oops",
        "malformed_json",
    )
    assert len(world.dead_letters()) == 2
    assert world.newest("u").items == ["a"]
    assert world.value("gsr_ingest_bad_records_total", reason="malformed_json") == 1
    role.close()


def test_bad_records_are_set_aside_once(world: World) -> None:
    """A crash before the flush reads them again, and recognises them."""
    role = world.role()
    world.send_raw(b"u", b"{oops")
    world.run(role, 0.05)
    assert len(world.dead_letters()) == 1
    _crash(role)
    world.send_raw(b"u", b"{again")
    role = world.role()
    world.run(role, 0.2)
    assert [one.value for one in world.dead_letters()] == [b"{oops", b"{again"]
    role.close()


def test_too_many_bad_records_stop_it(tmp_path: Path) -> None:
    """It stops, says where and why, and sets nothing of that batch aside."""
    world = World(tmp_path, {"bad_window_records": 100, "bad_minimum_records": 10})
    role = world.role()
    world.send(*clicks_of(["u"], 100))
    world.run(role, 0.1)
    world.send_raw(b"u", b"{oops", times=50)
    with pytest.raises(TooManyBadError, match="malformed_json"):
        world.run(role, 0.1)
    assert world.dead_letters() == []
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 100
    role.close()


def test_restarts_do_not_drain_the_topic(tmp_path: Path) -> None:
    """A supervisor that starts it again and again sets no more aside than one run may."""
    world = World(tmp_path, {"bad_window_records": 100, "bad_minimum_records": 10}, partitions=1)
    for _ in range(5):
        role = world.role()
        with suppress(TooManyBadError):
            for _ in range(40):
                world.send_raw(b"u", b"{oops")
                world.run(role, 0.02)
        role.close()
    assert len(world.dead_letters()) < 10


# -- restarts ------------------------------------------------------------------------------------


def _crash(role: IngestRole) -> None:
    """Let go of files as the kernel does after a kill: nothing is flushed or said."""
    for part in role._parts.values():  # noqa: SLF001 - a crash has no public face
        part.close()


def _feed(world: World, crashes: Sequence[int]) -> None:
    """Send rounds of clicks with a forget among them, crashing after some of the rounds."""
    role = world.role()
    for n in range(20):
        world.send(*[(user, f"i{(n * 7 + at) % 23}") for at, user in enumerate(USERS)])
        if n == 11:
            world.send_raw(b"u3", None)
        if n % 5 == 2:
            world.send_raw(b"u4", b"{bad")
        world.run(role, 0.15)
        if n in crashes:
            _crash(role)
            role = world.role()
    world.run(role, 3.0)
    role.close()


def test_state_is_the_same_whatever_crashes(tmp_path: Path) -> None:
    """Crashes between any two steps leave the bytes of an uninterrupted run."""
    settings: dict[str, Any] = {"flush_interval_seconds": 0.4}
    plain = World(tmp_path / "plain", settings)
    broken = World(tmp_path / "broken", settings)
    _feed(plain, crashes=[])
    _feed(broken, crashes=[1, 4, 5, 11, 12, 17, 19])
    assert plain.state() == broken.state()
    assert {u: s[-1] and s[-1].items for u, s in plain.sequences().items()} == {
        u: s[-1] and s[-1].items for u, s in broken.sequences().items()
    }
    assert [one.offset for one in plain.dead_letters()] == [
        one.offset for one in broken.dead_letters()
    ]


def test_sequences_lost_in_a_crash_after_the_flush_are_sent(tmp_path: Path) -> None:
    """A flush may pass clicks whose sequences wait; a restart reads their keys again."""
    world = World(tmp_path, {"flush_interval_seconds": 0.05, "sequence_linger_seconds": 1000.0})
    role = world.role()
    world.send(("u", "a"), ("v", "b"), ("w", "c"))
    world.send_raw(b"w", None)
    world.run(role, 0.5)
    _crash(role)
    assert world.sequences() == {}
    world.config = world.config.with_values({"ingest": {"sequence_linger_seconds": 0.01}})
    role = world.role()
    world.run(role, 0.5)
    assert world.newest("u").items == ["a"]
    assert world.newest("v").items == ["b"]
    assert world.sequences()["w"] == [None]
    role.close()


def test_an_orderly_stop_leaves_nothing_behind(world: World) -> None:
    """Everything read is flushed, sent and saved."""
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    role.step()
    role.close()
    assert set(world.sequences()) == set(USERS)
    saved = world.topics.saved_positions(world.config.ingest.group, "clicks")
    assert saved == world.topics.end_offsets("clicks")


def test_a_stop_while_the_log_is_away_leaves_the_sequences_to_the_next_owner(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State is flushed all the same, and the stop is an orderly one."""
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    role.step()
    with monkeypatch.context() as patch:
        patch.setattr(PartitionIngest, "send_sequences", _away)
        role.close()
    assert world.sequences() == {}
    saved = world.topics.saved_positions(world.config.ingest.group, "clicks")
    assert saved == world.topics.end_offsets("clicks")
    world.run(world.role(), 3.0)
    assert set(world.sequences()) == set(USERS)


def test_positions_in_the_state_rule(world: World) -> None:
    """A saved position that is further on, or behind, changes nothing."""
    role = world.role()
    world.send(("u", "a"), ("u", "b"))
    world.run(role, 0.1)
    role.close()
    world.topics.save_positions(world.config.ingest.group, "clicks", {0: 0, 1: 0})
    world.send(("u", "c"))
    role = world.role()
    world.run(role, 0.2)
    assert world.newest("u").items == ["a", "b", "c"]
    role.close()


# -- what it hands on ----------------------------------------------------------------------------


def test_checkpoints_come_on_schedule_if_anything_changed(world: World) -> None:
    """The trainer finds the newest clicks in the newest checkpoint; a calm topic makes none."""
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(role, 20.0)
    numbers = world.artifacts.newest_checkpoints()
    assert set(numbers) == {0, 1}
    ends = world.topics.end_offsets("clicks")
    for partition, number in numbers.items():
        with Checkpoint.open(world.artifacts.checkpoint_path(partition, number)) as checkpoint:
            assert checkpoint.meta.next_offset == ends[partition]
    world.run(role, 20.0)
    assert world.artifacts.newest_checkpoints() == numbers
    role.close()


def test_a_partition_lost_is_not_ready_before_the_group_has_spoken(world: World) -> None:
    """Whoever owns nothing for a moment has nothing that lags, and is not fine either."""
    role = world.role()
    world.run(role, 1.1)
    assert role.checks()["assigned"]
    role._partitions.lost([0, 1])  # noqa: SLF001 - what the reader calls
    assert not role.checks()["assigned"]
    role._partitions.assigned([0, 1])  # noqa: SLF001
    world.run(role, 0.1)
    assert role.checks()["assigned"]
    role.close()


def test_it_keeps_the_log_tidy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every topic's turn comes."""
    cleaned: list[str] = []
    clean = MemoryLog.clean

    def watched(log: MemoryLog, topic: str) -> Cleaned:
        cleaned.append(topic)
        return clean(log, topic)

    monkeypatch.setattr(MemoryLog, "clean", watched)
    role = world.role()
    world.run(role, 10.0)
    assert set(cleaned) == set(world.topics.topics())
    role.close()


# -- faults --------------------------------------------------------------------------------------


def test_a_second_ingest_on_the_same_state(world: World) -> None:
    """It is refused, and the first goes on."""
    first = world.role()
    first.step()
    second = world.role()
    world.run(second, 59.0)
    assert world.value("gsr_ingest_locked_partitions") == world.partitions
    with pytest.raises(StateLockedError):
        world.run(second, 2.0)
    second.close()
    world.send(("u", "a"))
    world.run(first, 0.2)
    assert world.newest("u").items == ["a"]
    first.close()


def test_clicks_that_fell_off_the_log(tmp_path: Path) -> None:
    """Clicks lost before they were applied are an error, not a silence."""
    world = World(tmp_path, partitions=1)
    role = world.role()
    world.send(("u", "a"))
    world.run(role, 0.1)
    role.close()
    _expire(world)
    role = world.role()
    with pytest.raises(ClicksExpiredError, match=r"clicks\[0\]: the state needs offset 1"):
        world.run(role, 0.1)
    role.close()


def test_new_state_begins_where_the_log_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Old clicks that are gone do not hinder a beginning, but it is said."""
    world = World(tmp_path, partitions=1)
    world.send(("u", "a"))
    _expire(world)
    role = world.role()
    world.send(("u", "z"))
    world.run(role, 0.2)
    assert "older clicks are gone" in caplog.text
    assert world.newest("u").items == ["z"]
    role.close()


def _expire(world: World) -> None:
    """Let the log delete all that it holds of clicks."""
    world.send(*clicks_of(USERS, 200))
    world.clock.sleep(8 * 86_400.0)
    assert isinstance(world.topics, MemoryLog)
    world.topics.clean("clicks")
    assert world.topics.start_offsets("clicks")[0] > 1


def test_state_of_another_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State that does not say where it is from, but is ahead of the log, is from another one."""
    monkeypatch.setattr(PartitionStore, "remember_topic", lambda *_: None)
    clock = ManualClock(NOW)
    world = World(tmp_path, clock=clock, log=LogWithoutIds(clock))
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(role, 0.1)
    role.close()
    other = World(tmp_path, clock=world.clock)
    role = other.role()
    with pytest.raises(StateMismatchError, match="another log"):
        role.step()
    role.close()


def test_a_full_disk_stops_it_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After space was freed, a restart ends with the bytes of a run without trouble."""
    plain, full = World(tmp_path / "plain"), World(tmp_path / "full")
    for world in (plain, full):
        role = world.role()
        world.send(*clicks_of(USERS, 5))
        world.run(role, 3.0)
        world.send(*clicks_of(USERS, 4))
        if world is full:
            with monkeypatch.context() as patch:
                patch.setattr(PartitionStore, "flush", _no_space)
                with pytest.raises(StorageFullError):
                    world.run(role, 5.0)
            role.close()
            role = world.role()
        world.run(role, 5.0)
        role.close()
    assert plain.state() == full.state()


def _no_space(_store: PartitionStore) -> None:
    raise StorageFullError("no space left")


def test_passing_trouble_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that failed because the log was away is repeated with the same clicks."""
    role = world.role()
    role.step()
    world.send(("u", "a"))
    world.send_raw(b"u", b"{oops")
    with monkeypatch.context() as patch:
        patch.setattr("consumers.roles.ingest.dead_letter_topic.DeadLetterTopic.append", _away)
        with pytest.raises(LogUnavailableError):
            world.run(role, 0.2)
    world.run(role, 0.2)
    assert world.newest("u").items == ["a"]
    assert len(world.dead_letters()) == 1
    role.close()


def _away(*_arguments: object, **_options: object) -> int:
    raise LogUnavailableError("the log is away")


def test_unusual_ids(world: World) -> None:
    """Ids with any Unicode go through."""
    role = world.role()
    user, item = "\U0001f600 \u0000\u202e'\"\\", "\ud7ff\uffff é\n"
    world.send((user, item))
    world.run(role, 0.2)
    assert world.newest(user).items == [item]
    role.close()


def test_a_user_with_very_many_clicks(tmp_path: Path) -> None:
    """A hundred thousand clicks of one user cost one buffer and a few sequences."""
    world = World(tmp_path, partitions=1)
    writer = world.topics.writer("clicks")
    for start in range(0, 100_000, 10_000):
        writer.append(
            [
                Outgoing(b"u", encode_click("u", f"i{n % 5000}", NOW - 100_000 + n))
                for n in range(start, start + 10_000)
            ]
        )
    role = world.role()
    world.run(role, 3.0)
    record = world.newest("u")
    assert len(record.items) == world.config.state.buffer_length
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 100_000
    role.close()
