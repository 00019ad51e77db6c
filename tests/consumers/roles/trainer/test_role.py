"""The trainer: follows, learns, publishes, and goes on after a restart."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.snapshot_files import GENERATIONS, decode_arrays, decode_snapshot
from consumers.roles.trainer.checkpoint_follower import CheckpointFollower
from consumers.roles.trainer.role import TrainerRole
from consumers.serving.view import decode_view
from gsr.errors import SnapshotError
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.loop.reports import CycleReport
from gsr.ranker.snapshot import to_arrays
from stream.errors import StateMismatchError
from stream.log.interface import Outgoing
from tests.consumers.trainer_world import TrainerWorld


def loop_of(trainer: TrainerRole) -> LearningLoop:
    """Return the loop of a trainer that has begun."""
    assert trainer.loop is not None
    return trainer.loop


@pytest.fixture
def world(tmp_path: Path) -> TrainerWorld:
    return TrainerWorld(tmp_path)


def test_nothing_happens_before_the_first_checkpoint(world: TrainerWorld) -> None:
    """A trainer that starts before ingest waits, and is not ready."""
    trainer = world.trainer()
    assert not trainer.step()
    assert trainer.checks() == {"checkpoint": False, "view": False}
    trainer.close()


def test_clicks_become_models_and_views(world: TrainerWorld) -> None:
    """Every click is tested once and learned once; model and counters are published."""
    trainer = world.trainer()
    for _ in range(6):
        world.shop(200)
        world.run(trainer, 4.0)
    loop = loop_of(trainer)
    assert loop.totals.clicks == 1200
    assert world.value("gsr_trainer_clicks_counted_total") == 1200
    assert trainer.checks() == {"checkpoint": True, "view": True}
    artifact = world.artifacts.read_snapshot()
    model, generations = decode_snapshot(artifact.tensors, artifact.metadata, world.config.model)
    assert model.vectors is not None
    assert len(model.vectors.items) == len(generations) == 30
    view = decode_view(world.artifacts.read_view().tensors, world.artifacts.read_view().metadata)
    assert sorted(view.item_ids) == sorted(f"i{n}" for n in range(30))
    assert view.positions == world.log.end_offsets(world.config.log.clicks)
    assert world.value("gsr_trainer_snapshot_version") == artifact.number >= 1
    trainer.close()


def test_the_mirror_holds_what_the_partitions_hold(world: TrainerWorld) -> None:
    """Advanced click by click, the trainer's counters are the sum of the partitions'."""
    trainer = world.trainer()
    for _ in range(3):
        world.shop(150)
        world.run(trainer, 3.0)
    mirror = loop_of(trainer).mirror
    follower = CheckpointFollower(world.artifacts)
    follower.begin(world.artifacts.newest_checkpoints(), {0: 0, 1: 0})
    other = Mirror(world.config.state.shape(), world.config.model.event_weights)
    for table in follower.tables(follower.parts):
        other.absorb(table)
    follower.close()
    assert sorted(mirror.item_ids) == sorted(other.item_ids)
    rows = [other.arrays.items.find(item) for item in mirror.item_ids]
    mine, theirs = mirror.graph(), other.graph()
    ages = theirs.popularity_references[rows] - mine.popularity_references
    np.testing.assert_allclose(mine.popularity, theirs.popularity[rows] * np.exp2(ages), rtol=1e-4)
    np.testing.assert_array_equal(mine.row_lengths, theirs.row_lengths[rows])
    trainer.close()


def test_a_restart_goes_on_where_the_journal_ends(world: TrainerWorld) -> None:
    """Model, counts and positions continue; no click is learned twice or lost."""
    trainer = world.trainer()
    for _ in range(4):
        world.shop(200)
        world.run(trainer, 6.0)
    before = loop_of(trainer)
    version = world.artifacts.current_snapshot()
    trainer.close()
    again = world.trainer()
    assert again.step()
    after = loop_of(again)
    assert after.totals == before.totals
    assert after.mirror.item_ids == before.mirror.item_ids
    for name, array in to_arrays(before.stream.model).items():
        np.testing.assert_array_equal(to_arrays(after.stream.model)[name], array, err_msg=name)
    world.shop(300)
    world.run(again, 12.0)
    assert loop_of(again).totals.clicks == 1100
    assert world.artifacts.current_snapshot() > version
    again.close()


def test_two_restarts_from_one_journal_end_alike(tmp_path: Path) -> None:
    """What follows a journal is a function of it and of the clicks: a lost cycle is redone."""
    ends = []
    for name in ("uninterrupted", "restarted"):
        world = TrainerWorld(tmp_path / name, partitions=1)
        trainer = world.trainer()
        world.shop(300)
        world.run(trainer, 12.0)
        if name == "restarted":
            trainer.close()
            trainer = world.trainer()
            trainer.step()
        world.shop(300)
        world.run(trainer, 12.0)
        ends.append(loop_of(trainer))
        trainer.close()
        world.ingest.close()
    assert ends[0].totals == ends[1].totals
    for name, array in to_arrays(ends[0].stream.model).items():
        np.testing.assert_array_equal(to_arrays(ends[1].stream.model)[name], array, err_msg=name)


def test_a_journal_without_its_checkpoints_is_not_followed(world: TrainerWorld) -> None:
    """Checkpoints that are gone are a gap, not a crash."""
    trainer = world.trainer()
    world.shop(300)
    world.run(trainer, 12.0)
    trainer.close()
    world.shop(100)
    world.run(None, 3.0)
    newest = world.artifacts.newest_checkpoints()
    for partition, number in newest.items():
        folder = world.artifacts.checkpoint_path(partition, number).parent
        for old in folder.iterdir():
            if old.name != f"{number:06d}":
                old.rename(world.directory / f"lost-{partition}-{old.name}")
    again = world.trainer()
    assert again.step()
    world.run(again, 4.0)
    assert loop_of(again).totals.clicks == 400
    again.close()


def test_a_rollback_is_learned_on(world: TrainerWorld) -> None:
    """What an operator puts back is not overwritten by the lineage that it replaced."""
    trainer = world.trainer()
    for _ in range(3):
        world.shop(200)
        world.run(trainer, 6.0)
    first = world.artifacts.snapshots()[0]["version"]
    restored = world.artifacts.rollback(first)
    world.shop(200)
    world.run(trainer, 6.0)
    newest = world.artifacts.read_snapshot()
    assert newest.number > restored
    parents = {m["version"]: m["parent"] for m in world.artifacts.snapshots()}
    assert restored in parents.values()
    trainer.close()


def test_forgotten_users_leave_the_mirror(world: TrainerWorld) -> None:
    """A forget record reaches the trainer's memory."""
    trainer = world.trainer()
    world.shop(200)
    world.run(trainer, 3.0)
    mirror = loop_of(trainer).mirror
    assert mirror.arrays.user_buffer("u1") is not None
    world.log.writer(world.config.log.clicks).append([Outgoing(b"u1", None)])
    world.run(trainer, 3.0)
    assert mirror.arrays.user_buffer("u1") is None
    assert loop_of(trainer).totals.forgotten == 1
    trainer.close()


def test_users_who_left_memory_come_back_as_they_were(world: TrainerWorld) -> None:
    """A user evicted from the mirror is read from a checkpoint before the next click counts."""
    trainer = world.trainer()
    world.shop(300)
    world.run(trainer, 3.0)
    loop = loop_of(trainer)
    before = loop.mirror.arrays.user_buffer("u3")
    assert before is not None
    world.shop(1)
    world.run(trainer, 2.0)
    loop.mirror.let_users_go(0)
    assert len(loop.mirror.arrays.users) == 0
    world.shop(300)
    world.run(trainer, 3.0)
    after = loop.mirror.arrays.user_buffer("u3")
    assert after is not None
    kept = after.times[after.times <= before.times[-1]]
    np.testing.assert_array_equal(kept, before.times[-len(kept) :])
    assert len(after) > len(kept) > 0
    trainer.close()


def test_items_that_leave_give_their_rows_away(tmp_path: Path) -> None:
    """A row's new item has a new generation, in the view and in the model."""
    world = TrainerWorld(tmp_path, partitions=1, state_settings={"max_items": 32})
    trainer = world.trainer()
    for prefix in ("a", "b", "c"):
        world.shop(300, prefix=prefix)
        world.run(trainer, 8.0)
    mirror = loop_of(trainer).mirror
    assert mirror.items <= 40
    assert mirror.generations.max() >= 1
    assert any(item.startswith("c") for item in mirror.item_ids)
    assert np.isfinite(world.value("gsr_trainer_loss"))
    trainer.close()


def test_a_cycle_out_of_time_sheds_replay_first(tmp_path: Path) -> None:
    """Fresh clicks are learned whatever the clock says; what was shed is counted."""
    world = TrainerWorld(tmp_path, trainer_settings={"budget_seconds": 1e-9})
    world.clock.tick = 1e-6
    trainer = world.trainer()
    for _ in range(3):
        world.shop(300)
        world.run(trainer, 6.0)
    totals = loop_of(trainer).totals
    assert totals.fresh > 0
    assert totals.replayed == 0
    assert totals.shed_replay == world.value("gsr_trainer_clicks_shed_total") > 0
    trainer.close()


def test_slow_cycles_learn_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a cycle takes four times as long as it should, the next ones learn a quarter."""
    world = TrainerWorld(tmp_path, trainer_settings={"cycle_max_clicks": 400})
    trainer = world.trainer()
    world.shop(100)
    world.run(trainer, 10.0)
    loop = loop_of(trainer)
    learn = loop.learn

    def learn_slowly(out_of_time: Callable[[], bool]) -> CycleReport | None:
        world.clock.sleep(0.05 * loop.waiting)
        return learn(out_of_time)

    def learned(*prefixes: str) -> int:
        for prefix in prefixes:
            before = loop.totals.fresh
            world.shop(2000, prefix=prefix)
            world.run(trainer, 60.0)
        return loop.totals.fresh - before

    monkeypatch.setattr(loop, "learn", learn_slowly)
    assert learned(*"abc") < 200
    monkeypatch.setattr(loop, "learn", learn)
    assert learned(*"defghijk") > 250
    assert loop.totals.clicks == 100 + 11 * 2000
    trainer.close()


def test_what_is_too_much_to_learn_still_counts(tmp_path: Path) -> None:
    """Past a cycle's worth a share is learned, the rest only moves the counters."""
    world = TrainerWorld(tmp_path, trainer_settings={"cycle_max_clicks": 100})
    trainer = world.trainer()
    for _ in range(3):
        world.shop(1000)
        world.run(trainer, 10.0)
    loop = loop_of(trainer)
    assert loop.totals.clicks == world.value("gsr_trainer_clicks_counted_total") == 3000
    assert world.value("gsr_trainer_lag_clicks") == 0
    assert 100 < loop.totals.fresh + loop.waiting < 600
    assert world.value("gsr_trainer_clicks_shed_total") == loop.totals.shed_fresh > 500
    popularity = loop.mirror.graph().popularity[:, -1].sum()
    assert popularity > 2000
    trainer.close()


def test_item_rows_of_another_beginning_never_pass_for_those_of_old_models(
    world: TrainerWorld,
) -> None:
    """Without its journal the trainer names rows anew, which models from before do not know."""
    trainer = world.trainer()
    world.shop(300)
    world.run(trainer, 12.0)
    trainer.close()
    version = world.artifacts.current_snapshot()
    arrays = decode_arrays(world.artifacts.read_snapshot(version).tensors)
    shutil.move(world.directory / "artifacts" / "trainer", world.directory / "away")
    again = world.trainer()
    world.run(again, 1.0)
    mirror = loop_of(again).mirror
    assert mirror.items == 30
    assert mirror.generations.min() > arrays[GENERATIONS].max()
    again.close()
    once_more = world.trainer()
    assert once_more.step()
    assert loop_of(once_more).mirror.first_generation == mirror.first_generation
    once_more.close()


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"model": {"dimension": 16}}, SnapshotError, "model.dimension = 8"),
        ({"state": {"half_lives_seconds": [60.0]}}, SnapshotError, "state.half_lives_seconds"),
        ({"events": {"weights": {"click": 2.0}}}, SnapshotError, "events.weights"),
        ({"state": {"buffer_length": 9}}, StateMismatchError, "state.buffer_length = 64"),
    ],
)
def test_another_configuration_is_refused_before_anything_is_written(
    world: TrainerWorld, settings: dict[str, dict[str, object]], kind: type[Exception], words: str
) -> None:
    """By the setting's name; the journal and the checkpoints stay as they are."""
    trainer = world.trainer()
    world.shop(200)
    world.run(trainer, 6.0)
    trainer.close()
    before = world.artifacts.journal_manifest()
    world.config = world.config.with_values(settings)
    other = world.trainer()
    with pytest.raises(kind, match=words):
        other.step()
    other.close()
    assert world.artifacts.journal_manifest() == before
