"""Restoring lost state from the newest checkpoints, by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consumers.artifacts.store import ArtifactStore
from consumers.artifacts.written_settings import refuse_other_state
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, NotFoundError
from stream.state.checkpoint import Checkpoint
from stream.state.directory_lock import DirectoryLock
from stream.state.restoring import holds_state, install_checkpoint
from stream.state.rocks import writable


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreStep:
    """One partition to restore.

    Parameters
    ----------
    partition, offset
        Whose checkpoint, which is named by the offset that it reaches.
    directory
        Where to.
    replaces
        Whether there is a state already.
    """

    partition: int
    offset: int
    directory: Path
    replaces: bool


def plan_restore(
    store: ArtifactStore, directory: Path, partitions: Sequence[int] = ()
) -> list[RestoreStep]:
    """Return the steps that restore partitions into the folders `partition-N` of `directory`.

    Parameters
    ----------
    store
        Has the checkpoints.
    directory
        Of the databases.
    partitions
        Only these; none: all that have a checkpoint.

    Raises
    ------
    NotFoundError
        There is no checkpoint.
    """
    newest = store.newest_checkpoints()
    missing = sorted(set(partitions) - set(newest))
    if missing or not newest:
        which = f"partition {missing[0]}" if missing else "any partition"
        raise NotFoundError(f"there is no checkpoint of {which} in the artifact store")
    steps = []
    for partition in sorted(set(partitions) or newest):
        path = directory / f"partition-{partition}"
        steps.append(
            RestoreStep(
                partition=partition,
                offset=newest[partition],
                directory=path,
                replaces=holds_state(path),
            )
        )
    return steps


def refuse_other_shapes(
    config: GsrConfig, store: ArtifactStore, plan: Sequence[RestoreStep]
) -> None:
    """Refuse checkpoints that the configuration's ingest could not go on with.

    Raises
    ------
    StateMismatchError, StateCorruptError
        See `refuse_other_checkpoint`.
    """
    for step in plan:
        path = store.checkpoint_path(step.partition, step.offset)
        refuse_other_checkpoint(path, step.partition, config)


def refuse_other_checkpoint(path: Path, partition: int, config: GsrConfig) -> None:
    """Refuse a checkpoint that the configuration's ingest could not go on with.

    Raises
    ------
    StateMismatchError
        Names the setting, both values and the way out.
    StateCorruptError
        It is damaged.
    """
    with Checkpoint.open(path) as found:
        refuse_other_state(found.meta, partition, config, str(path))


def restore_partition(store: ArtifactStore, step: RestoreStep) -> int:
    """Restore one partition, all or nothing; return the offset that ingest reads next.

    Raises
    ------
    StateLockedError
        Ingest has the directory open.
    StorageFullError
        No space, or not writable.
    ArtifactError
        The checkpoint went away meanwhile: a newer one has come.
    """
    with writable(step.directory):
        step.directory.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock(step.directory)
    try:
        try:
            install_checkpoint(store.checkpoint_path(step.partition, step.offset), step.directory)
        except FileNotFoundError as error:
            raise ArtifactError(
                f"the checkpoint of partition {step.partition} was replaced by a newer one "
                "meanwhile: is ingest running? Try again."
            ) from error
        with Checkpoint.open(step.directory) as restored:
            return restored.meta.next_offset
    finally:
        lock.release()
