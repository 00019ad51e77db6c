"""The trainer follows partitions, whichever process publishes their checkpoints."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.roles.trainer.checkpoint_follower import CheckpointFollower
from consumers.roles.trainer.role import TrainerRole
from gsr.loop.mirror import Mirror
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.storage_reader import StorageReader
from stream.log.interface import RebalanceListener
from tests.consumers.trainer_world import TrainerWorld


class _Shared(MemoryLog):
    """A log whose group has given this process some of the partitions of clicks."""

    def __init__(self, log: MemoryLog, share: Sequence[int]) -> None:
        vars(self).update(vars(log))
        self._share = share

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> StorageReader:
        if group is not None:
            partitions = self._share
        return super().reader(topic, partitions=partitions, group=group, listener=listener)


def _owner(world: TrainerWorld, directory: Path, partition: int) -> IngestRole:
    config = world.config.with_values(
        {"state": {"directory": directory}, "artifacts": {"url": world.config.artifacts_url}}
    )
    log, metrics = _Shared(world.log, [partition]), Metrics("ingest", world.clock)
    role = IngestRole(config, log, world.clock, metrics, world.artifacts)
    deadline = time.monotonic() + 60.0
    while not role.checks()["assigned"]:
        assert time.monotonic() < deadline
        role.step()
        time.sleep(0.001)
    return role


def _run(world: TrainerWorld, owners: list[IngestRole], trainer: TrainerRole) -> None:
    for _ in range(4):
        world.shop(150)
        until = world.clock.time() + 3.0
        while world.clock.time() < until:
            for owner in owners:
                owner.step()
            trainer.step()
            world.clock.sleep(0.05)


def test_it_sums_what_several_processes_publish(tmp_path: Path) -> None:
    """Each partition has an owner of its own, and one moves to another machine on the way."""
    world = TrainerWorld(tmp_path / "world")
    trainer = world.trainer()
    owners = [_owner(world, tmp_path / f"owner-{number}", number) for number in range(2)]
    _run(world, owners, trainer)
    owners[0].close()
    owners[0] = _owner(world, tmp_path / "elsewhere", 0)
    _run(world, owners, trainer)
    assert trainer.loop is not None
    mirror = trainer.loop.mirror
    follower = CheckpointFollower(world.artifacts)
    follower.begin(world.artifacts.newest_checkpoints(), {0: 0, 1: 0})
    other = Mirror(world.config.state.shape(), world.config.model.event_weights)
    for table in follower.tables(follower.parts):
        other.absorb(table)
    follower.close()
    assert world.value("gsr_trainer_clicks_missed_total") == 0
    assert trainer.loop.totals.clicks == sum(world.log.end_offsets("clicks").values())
    rows = [other.arrays.items.find(item) for item in mirror.item_ids]
    mine, theirs = mirror.graph(), other.graph()
    ages = theirs.popularity_references[rows] - mine.popularity_references
    np.testing.assert_allclose(mine.popularity, theirs.popularity[rows] * np.exp2(ages), rtol=1e-4)
    np.testing.assert_array_equal(mine.row_lengths, theirs.row_lengths[rows])
    for owner in owners:
        owner.close()
    trainer.close()


def test_a_torn_checkpoint_is_passed_over(tmp_path: Path) -> None:
    """The trainer waits for the next one, and misses nothing."""
    world = TrainerWorld(tmp_path, partitions=1)
    trainer = world.trainer()
    world.shop(150)
    world.run(trainer, 3.0)
    world.shop(150)
    world.run(None, 3.0)
    number = world.artifacts.newest_checkpoints()[0]
    for path in world.artifacts.checkpoint_path(0, number).glob("MANIFEST-*"):
        path.write_bytes(b"torn")
    for _ in range(20):
        trainer.step()
        world.clock.sleep(0.2)
    world.shop(150)
    world.run(trainer, 5.0)
    assert trainer.loop is not None
    assert trainer.loop.totals.clicks == 450
    assert world.value("gsr_trainer_clicks_missed_total") == 0
    trainer.close()
