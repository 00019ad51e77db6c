"""Advice about damaged state: derived from facts, and safe for who follows it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.inspect.state_advice import StateFacts, find_problems, gather_facts, repair_advice
from tests.consumers.ingest_world import World, clicks_of

HERE = Path("state/ingest/partition-3")
FACTS = StateFacts(partition=3, directory=HERE)
BOOTSTRAPPED = replace(FACTS, log_start=0, history=900)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(FACTS, sound_checkpoint=7), "gsr state restore --partition 3"),
        (replace(FACTS, sound_checkpoint=7, log_start=0), "from the checkpoint of offset 7"),
        (replace(BOOTSTRAPPED, sound_checkpoint=7), "from the checkpoint of offset 7"),
        (
            replace(FACTS, sound_checkpoint=7, damaged_checkpoints=("a/000009",)),
            "move a/000009 away, run `gsr state restore",
        ),
        (
            replace(FACTS, sound_checkpoint=7, log_start=12, history=0),
            "The 5 records between the checkpoint of offset 7 and the log's start at 12 are lost",
        ),
        (replace(FACTS, log_start=0, history=0), f"move {HERE} away and start ingest again"),
        (BOOTSTRAPPED, "history from before the log: 900 clicks"),
        (replace(FACTS, log_start=5, history=0), "records before offset 5 have left the log"),
        (FACTS, "put back a backup"),
        (replace(FACTS, log_start=0, history=None), "put back a backup"),
        (replace(BOOTSTRAPPED, state_unknown=True), "gsr state check --live"),
    ],
)
def test_advice_follows_from_the_facts(facts: StateFacts, words: str) -> None:
    """What there is to go back to decides."""
    assert words in repair_advice(facts)


@pytest.mark.parametrize("log_start", [None, 0, 5])
@pytest.mark.parametrize("history", [None, 0, 900])
@pytest.mark.parametrize("sound", [None, 7])
def test_nothing_is_moved_that_the_log_cannot_give_again(
    log_start: int | None, history: int | None, sound: int | None
) -> None:
    """Only a log that holds the whole history takes the place of a state."""
    facts = replace(FACTS, log_start=log_start, history=history, sound_checkpoint=sound)
    rebuilds = sound is None and log_start == 0 and history == 0
    assert (f"move {HERE} away" in repair_advice(facts)) == rebuilds


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, partitions=1)
    role = world.role()
    for _ in range(2):
        world.send(*clicks_of(["ann", "bob"], 5))
        world.run(role, 6.0)
    role.close()
    return world


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


def _tear(path: Path) -> None:
    for manifest in path.rglob("MANIFEST-*"):
        manifest.unlink()
        manifest.write_bytes(b"torn")


def test_a_state_without_a_sound_checkpoint_comes_back_from_a_whole_log(world: World) -> None:
    """Followed to the letter, the advice ends in the bytes that were there before."""
    expected, own = world.state(), world.config.ingest_directory / "partition-0"
    folders = [world.artifacts.checkpoint_path(0, n) for n in world.artifacts.checkpoints(0)]
    kept = shutil.copytree(folders[-1], world.directory / "kept")
    for path in (own, *folders):
        _tear(path)
        assert find_problems(path)
    facts = gather_facts(world.config, world.artifacts, 0, live=True, log_start=0)
    assert facts.history is None  # nothing tells any more: so nothing is moved
    assert "put back a backup" in repair_advice(facts)
    world.artifacts.publish_checkpoint(1, 0, lambda path: _copy(kept, path))
    facts = gather_facts(world.config, world.artifacts, 0, live=True, log_start=0)
    told = repair_advice(facts)
    for path in (own, *folders):
        assert f"move {path} away" in told
        shutil.move(path, path.with_name(f"{path.name}.away"))
    role = world.role()
    world.run(role, 6.0)
    role.close()
    assert world.state() == expected


def test_the_newest_sound_checkpoint_is_looked_for(world: World) -> None:
    """A damaged one is named and passed over."""
    *_, older, newest = world.artifacts.checkpoints(0)
    _tear(world.artifacts.checkpoint_path(0, newest))
    facts = gather_facts(world.config, world.artifacts, 0, live=True, log_start=0)
    assert facts.sound_checkpoint == older
    assert facts.damaged_checkpoints == (str(world.artifacts.checkpoint_path(0, newest)),)
    assert facts.history == 0
    assert not facts.state_unknown
    assert gather_facts(world.config, world.artifacts, 0, live=False, log_start=0).state_unknown
