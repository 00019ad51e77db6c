"""Partitions that move: restored elsewhere, waited for, fenced; and clicks that are gone."""

import threading
import time
from pathlib import Path

import pytest

from consumers.artifacts.store import ArtifactStore
from consumers.errors import ArtifactError, ClicksExpiredError
from consumers.roles.ingest.partition_opening import choose_source
from consumers.roles.ingest.role import IngestRole
from stream.errors import (
    FencedError,
    LogUnavailableError,
    StateCorruptError,
    StateMismatchError,
)
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.storage_reader import StorageReader
from stream.log.interface import Outgoing, RecordBatch
from tests.consumers.ingest_world import World, clicks_of

USERS = [f"u{n}" for n in range(12)]


def _elsewhere(world: World, directory: Path, **ingest: object) -> World:
    """Return a second machine: the same log and artifact store, another state directory."""
    other = World(directory, partitions=world.partitions, clock=world.clock, log=world.topics)
    other.config = world.config.with_values(
        {
            "state": {"directory": directory},
            "artifacts": {"url": world.config.artifacts_url},
            "ingest": ingest,
        }
    )
    other.artifacts = world.artifacts
    return other


def _run_until_open(world: World, role: IngestRole) -> None:
    """Step until every partition is open; restoring happens on a thread."""
    deadline = time.monotonic() + 60.0
    while not role.checks()["assigned"]:
        assert time.monotonic() < deadline
        role.step()
        time.sleep(0.001)
        world.clock.sleep(0.01)


def _worked(tmp_path: Path, rounds: int = 3) -> World:
    """Return a world whose ingest has applied clicks, published checkpoints and stopped."""
    world = World(tmp_path / "first", partitions=1)
    role = world.role()
    for _ in range(rounds):
        world.send(*clicks_of(USERS, 5))
        world.run(role, 6.0)
    role.close()
    return world


@pytest.mark.parametrize(
    ("local", "checkpoint", "start", "source"),
    [
        (None, None, 0, "nothing"),
        (None, 10, 0, "checkpoint"),
        (10, None, 0, "local"),
        (10, 10, 0, "local"),
        (10, 5, 0, "local"),
        (10, 110, 0, "local"),
        (10, 111, 0, "checkpoint"),
        (10, 12, 11, "checkpoint"),
        (10, 12, 50, "checkpoint"),
        (10, 5, 50, "local"),
    ],
)
def test_the_source_that_gets_furthest(
    local: int | None, checkpoint: int | None, start: int, source: str
) -> None:
    """Local state wins unless the log cannot, or should not, bring it up."""
    assert choose_source(local, checkpoint, start, lead=100) == source


def test_a_moved_partition_is_restored(tmp_path: Path) -> None:
    """Checkpoint and log together give the bytes of the run that was never moved."""
    world = _worked(tmp_path)
    world.send(*clicks_of(USERS, 3))
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    _run_until_open(moved, role)
    assert moved.value("gsr_ingest_restore_seconds_count") == 1
    moved.run(role, 3.0)
    role.close()
    stayed = world.role()
    world.run(stayed, 3.0)
    stayed.close()
    assert moved.state() == world.state()


def test_polling_goes_on_while_a_checkpoint_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow artifact store keeps the partition paused, not the loop; revoking does not wait."""
    world = _worked(tmp_path)
    world.send(*clicks_of(USERS, 1))
    arrived, asked = threading.Event(), threading.Event()
    bring = ArtifactStore.checkpoint_path

    def slow(store: ArtifactStore, partition: int, number: int) -> Path:
        asked.set()
        assert arrived.wait(60.0)
        return bring(store, partition, number)

    monkeypatch.setattr(ArtifactStore, "checkpoint_path", slow)
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    moved.run(role, 1.0)
    assert asked.wait(60.0)
    assert moved.value("gsr_ingest_restoring_partitions") == 1
    assert moved.value("gsr_ingest_records_total") == 0
    assert not role.checks()["assigned"]
    role.close()
    again = moved.role()
    moved.run(again, 1.0)
    assert moved.value("gsr_ingest_locked_partitions") == 1
    arrived.set()
    _run_until_open(moved, again)
    moved.run(again, 1.0)
    assert moved.value("gsr_ingest_records_total") == len(USERS)
    again.close()


def test_a_checkpoint_that_is_pruned_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for again, after a pause."""
    world = _worked(tmp_path)
    bring, failures = ArtifactStore.checkpoint_path, iter([True, True, False])

    def pruned(store: ArtifactStore, partition: int, number: int) -> Path:
        if next(failures):
            raise ArtifactError("there is no such checkpoint")
        return bring(store, partition, number)

    monkeypatch.setattr(ArtifactStore, "checkpoint_path", pruned)
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    _run_until_open(moved, role)
    moved.run(role, 1.0)
    role.close()
    assert moved.state() == world.state()


def test_local_state_does_without_the_artifact_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away hinders nobody who has what is needed."""
    world = _worked(tmp_path)

    def away(_store: ArtifactStore, _partition: int) -> int:
        raise ArtifactError("the store is away")

    role = world.role()
    with monkeypatch.context() as patch:
        patch.setattr(ArtifactStore, "newest_checkpoint", away)
        world.run(role, 0.5)
        assert role.checks()["assigned"]
    role.close()


def test_old_local_state_is_replaced(tmp_path: Path) -> None:
    """Where the checkpoint leads by far, restoring is faster than catching up."""
    world = _worked(tmp_path, rounds=1)
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    _run_until_open(moved, role)
    for _ in range(3):
        moved.send(*clicks_of(USERS, 5))
        moved.run(role, 6.0)
    role.close()
    world.config = world.config.with_values({"ingest": {"restore_lead_records": 20}})
    role = world.role()
    _run_until_open(world, role)
    assert world.value("gsr_ingest_restore_seconds_count") == 1
    world.run(role, 1.0)
    role.close()
    assert moved.state() == world.state()


def test_damaged_local_state_is_replaced(tmp_path: Path) -> None:
    """What cannot be opened is restored."""
    world = _worked(tmp_path)
    expected = world.state()
    database = world.config.ingest_directory / "partition-0" / "db"
    for path in database.glob("MANIFEST-*"):
        path.write_bytes(b"torn")
    role = world.role()
    _run_until_open(world, role)
    world.run(role, 1.0)
    role.close()
    assert world.state() == expected


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    """The message says what to remove."""
    world = _worked(tmp_path)
    number = world.artifacts.newest_checkpoints()[0]
    for path in world.artifacts.checkpoint_path(0, number).glob("MANIFEST-*"):
        path.write_bytes(b"torn")
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    with pytest.raises(StateCorruptError, match="gsr state check"):
        _run_until_open(moved, role)
    role.close()


def test_a_checkpoint_of_another_log(tmp_path: Path) -> None:
    """An artifact store that knows more than the log ever held belongs to another one."""
    world = _worked(tmp_path)
    other = _elsewhere(world, tmp_path / "second")
    other.topics = MemoryLog(world.clock)
    for spec in other.config.log.topics():
        other.topics.create_topic(spec)
    role = other.role()
    with pytest.raises(StateMismatchError, match="newest checkpoint has applied"):
        role.step()
    role.close()


# -- two owners ----------------------------------------------------------------------------------


def test_the_old_owner_is_waited_for(tmp_path: Path) -> None:
    """On the same machine the lock decides; the next owner goes on as soon as it is free."""
    world = World(tmp_path)
    first = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(first, 0.1)
    second = world.role()
    world.run(second, 10.0)
    assert world.value("gsr_ingest_locked_partitions") == world.partitions
    assert not second.checks()["assigned"]
    first.close()
    world.send(("u", "z"))
    world.run(second, 0.2)
    assert world.newest("u").items == ["z"]
    second.close()


def test_two_owners_do_no_harm(tmp_path: Path) -> None:
    """The first, paused through a move, neither turns back checkpoints nor sends anything old."""
    world = World(tmp_path / "first", partitions=1)
    zombie = world.role()
    world.send(("u", "a"))
    world.run(zombie, 6.0)
    world.send(("u", "b"))
    zombie._poll()  # noqa: SLF001 - read, but not applied: then it is stopped
    zombie._read_again()  # noqa: SLF001
    moved = _elsewhere(world, tmp_path / "second")
    role = moved.role()
    _run_until_open(moved, role)
    moved.send(("u", "c"))
    moved.run(role, 6.0)
    newest = world.artifacts.newest_checkpoints()
    sent = world.sequences()["u"]
    world.run(zombie, 20.0)
    assert world.artifacts.newest_checkpoints() == newest
    assert world.sequences()["u"] == sent
    assert world.newest("u").items == ["a", "b", "c"]
    moved.send(("u", "d"))
    moved.run(role, 6.0)
    assert world.newest("u").items == ["a", "b", "c", "d"]
    with pytest.raises(FencedError, match="stop one of the two"):
        world.run(zombie, 120.0)
    zombie.close()
    role.close()


def test_revoking_flushes_and_lost_does_not(tmp_path: Path) -> None:
    """What was revoked is durable; what was lost is as the last flush has it."""
    world = World(tmp_path, {"flush_interval_seconds": 1000.0}, partitions=2)
    role = world.role()
    world.send(*clicks_of(USERS, 2))
    world.run(role, 0.1)
    world.send(*clicks_of(USERS, 1))
    world.run(role, 0.1)
    ends = world.topics.end_offsets("clicks")
    role._partitions.revoked([0])  # noqa: SLF001 - what the reader calls
    role._partitions.lost([1])  # noqa: SLF001
    assert role.positions() == {}
    saved = world.topics.saved_positions(world.config.ingest.group, "clicks")
    assert (saved[0], saved[1] < ends[1]) == (ends[0], True)
    assert world.value("gsr_ingest_revoke_seconds_count") == 1
    assert world.value("gsr_ingest_partitions") == 0
    role._partitions.assigned([0, 1])  # noqa: SLF001
    world.run(role, 0.1)
    assert role.positions() == ends
    role.close()


# -- clicks that are gone ------------------------------------------------------------------------


def _expire(world: World) -> int:
    """Let the log delete all that it holds of clicks; return where it begins then."""
    world.send(*clicks_of(USERS, 200))
    world.clock.sleep(8 * 86_400.0)
    assert isinstance(world.topics, MemoryLog)
    world.topics.clean("clicks")
    return world.topics.start_offsets("clicks")[0]


def test_a_gap_stops_and_may_be_accepted(tmp_path: Path) -> None:
    """It says how many and what to do; accepted, they are counted and the rest is applied."""
    world = _worked(tmp_path, rounds=1)
    applied = world.topics.end_offsets("clicks")[0]
    start = _expire(world)
    role = world.role()
    with pytest.raises(ClicksExpiredError, match="accept_gap") as caught:
        world.run(role, 0.1)
    assert caught.value.exit_code == 12
    assert f"{start - applied} records were deleted" in str(caught.value)
    role.close()
    world.config = world.config.with_values({"ingest": {"accept_gap": True}})
    role = world.role()
    world.send(("new", "z"))
    world.run(role, 1.0)
    assert world.value("gsr_ingest_lost_records_total") == start - applied
    assert world.newest("new").items == ["z"]
    role.close()


def test_a_gap_while_running(tmp_path: Path) -> None:
    """Retention that overtakes a running ingest is the same trouble."""
    world = World(tmp_path, {"poll_records": 10}, partitions=1)
    role = world.role()
    world.send(*clicks_of(USERS, 1))
    world.run(role, 1.0)
    _expire(world)
    with pytest.raises(ClicksExpiredError, match="accept_gap"):
        world.run(role, 0.1)
    role.close()


def test_trouble_on_a_topic_that_begins_late_is_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new state begins where the log does, also where the first thing that comes is trouble."""
    world = World(tmp_path, partitions=1)
    world.topics.writer("clicks").append([Outgoing(b"u", b"old")] * 3)
    _expire(world)
    role = world.role()
    world.run(role, 0.1)

    def away(*_arguments: object) -> list[RecordBatch]:
        raise LogUnavailableError("the log is away")

    with monkeypatch.context() as patch:
        patch.setattr(StorageReader, "poll", away)
        with pytest.raises(LogUnavailableError):
            role.step()
    world.send(("u", "z"))
    world.run(role, 1.0)
    assert world.newest("u").items == ["z"]
    role.close()


def test_lost_state_is_noticed(tmp_path: Path) -> None:
    """Neither state nor checkpoint, though the group was further: that is no beginning."""
    world = _worked(tmp_path, rounds=1)
    _expire(world)
    moved = World(tmp_path / "empty", partitions=1, clock=world.clock, log=world.topics)
    role = moved.role()
    with pytest.raises(ClicksExpiredError, match="needs offset 0"):
        moved.run(role, 0.1)
    role.close()
