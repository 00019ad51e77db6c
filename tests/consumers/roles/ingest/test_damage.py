"""Clicks that nobody can read stop ingest with the way out, or are set aside by their range."""

import logging
from pathlib import Path

import pytest

from consumers.errors import ClicksDamagedError
from consumers.exit_codes import exit_code
from consumers.topics.sequences_completeness import sequence_group
from stream.clock import ManualClock
from stream.errors import RecordsDamagedError
from stream.log.interface import Outgoing
from tests.consumers.damaged_log import DamagedLog
from tests.consumers.ingest_world import NOW, World, clicks_of

START, STOP = 4, 7


def spoilt(directory: Path, stop: int | None = STOP, *, skip: bool = True) -> World:
    """Return a world with 12 clicks of one partition, some of which cannot be read."""
    clock = ManualClock(NOW)
    log = DamagedLog(clock)
    log.spoil("clicks", 0, START, stop)
    world = World(directory, {"skip_damaged": skip}, partitions=1, clock=clock, log=log)
    world.send(*clicks_of(["ann", "bob"], 6))
    return world


def test_it_stops_and_names_the_way_past(tmp_path: Path) -> None:
    """All before is applied and durable; code 6, and what the operator may set."""
    world = spoilt(tmp_path, skip=False)
    role = world.role()
    with pytest.raises(ClicksDamagedError, match=r"clicks\[0\].*offset 4 .*torn") as caught:
        world.run(role)
    assert exit_code(caught.value) == 6
    assert "offsets 4 to 6 aside" in str(caught.value)
    assert "--set ingest.skip_damaged=true" in str(caught.value)
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == START
    role.close()
    assert world.dead_letters() == []


def test_damage_without_an_end_is_never_skipped(tmp_path: Path) -> None:
    """The message says so, and what to do instead."""
    world = spoilt(tmp_path, stop=None)
    role = world.role()
    with pytest.raises(ClicksDamagedError, match=r"cannot be told.*kafka-delete-records"):
        world.run(role)
    role.close()


def test_it_is_set_aside_loudly_where_that_is_allowed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A dead letter, a metric and an error line name the range; what is behind is applied."""
    world = spoilt(tmp_path)
    role = world.role()
    with caplog.at_level(logging.ERROR):
        world.run(role, 3.0)
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 12 - (STOP - START)
    assert world.value("gsr_ingest_damaged_records_total") == STOP - START
    assert role.positions() == {0: 12}
    role.close()
    (letter,) = world.dead_letters()
    assert (letter.reason, letter.offset, letter.end_offset) == ("damaged", START, STOP)
    assert (letter.key, letter.value, letter.partition) == (None, None, 0)
    assert "torn" in letter.detail
    assert [entry.getMessage() for entry in caplog.records if "4 to 6" in entry.getMessage()]


def test_the_end_of_the_log_may_be_damaged(tmp_path: Path) -> None:
    """The position behind the damage is durable: the next start does not meet it again."""
    world = spoilt(tmp_path, stop=12)
    role = world.role()
    world.run(role, 3.0)
    role.close()
    role = world.role()
    world.run(role)
    assert role.positions() == {0: 12}
    assert world.value("gsr_ingest_damaged_records_total") == 0
    role.close()
    assert len(world.dead_letters()) == 1


def test_whoever_skips_the_same_range_has_the_same_state(tmp_path: Path) -> None:
    """Whether all was read at once, a few records at a time, or again after a crash."""
    worlds = [spoilt(tmp_path / name) for name in ("whole", "pieces", "crash")]
    worlds[1].config = worlds[1].config.with_values({"ingest": {"poll_records": 3}})
    for world in worlds[:2]:
        role = world.role()
        world.run(role, 5.0)
        role.close()
    crashed = worlds[2]
    role = crashed.role()
    while not crashed.dead_letters():
        role.step()
    role._failed = True  # noqa: SLF001 - as if it had been killed: nothing is flushed
    role.close()
    role = crashed.role()
    crashed.run(role, 5.0)
    role.close()
    assert worlds[0].state() == worlds[1].state() == crashed.state()
    assert len(crashed.dead_letters()) == 1


def test_damaged_records_do_not_count_as_bad(tmp_path: Path) -> None:
    """Else a large damaged batch would stop ingest a second time, or at its next start."""
    clock = ManualClock(NOW)
    log = DamagedLog(clock)
    log.spoil("clicks", 0, 0, 50)
    settings: dict[str, object] = {
        "skip_damaged": True,
        "bad_window_records": 60,
        "bad_minimum_records": 10,
    }
    world = World(tmp_path, settings, partitions=1, clock=clock, log=log)
    log.writer("clicks").append([Outgoing(b"u", b"lost")] * 50)
    world.send(*clicks_of(["ann"], 10))
    for _ in range(2):
        role = world.role()
        world.run(role, 3.0)
        assert role.positions() == {0: 60}
        role.close()


def test_damage_of_a_step_that_failed_is_not_remembered(tmp_path: Path) -> None:
    """That step went back: what lies before the damage would be skipped along with it."""
    world = World(tmp_path, {"skip_damaged": True}, partitions=1)
    role = world.role()
    world.run(role, 0.1)
    world.send(*clicks_of(["ann", "bob"], 6))
    role._damage = RecordsDamagedError("clicks", 0, START, STOP, "torn")  # noqa: SLF001 - as left
    world.run(role)
    assert world.value("gsr_ingest_clicks_total", outcome="accepted") == 12
    role.close()
    assert world.dead_letters() == []


def test_clicks_damaged_before_their_users_were_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The state knows whose they were: everybody's sequence is sent again."""
    clock = ManualClock(NOW)
    log = DamagedLog(clock)
    world = World(tmp_path, partitions=1, clock=clock, log=log)
    world.send(*clicks_of(["ann", "bob"], 6))
    role = world.role()
    world.run(role, 3.0)
    role.close()
    group = sequence_group(world.config)
    log.save_positions(group, "clicks", {0: 2})
    log.spoil("clicks", 0, START, STOP)
    before = {user: len(sent) for user, sent in world.sequences().items()}
    role = world.role()
    with caplog.at_level(logging.WARNING):
        world.run(role, 12.0)
    role.close()
    assert "sent again from the state" in caplog.text
    assert all(len(sent) > before[user] for user, sent in world.sequences().items())
