"""Advice on how to mend a partition whose state is damaged, derived from what is still there."""

from dataclasses import dataclass, field
from pathlib import Path

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.errors import LogError, StateCorruptError, StateMismatchError
from stream.log.opening import open_log
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.restoring import holds_state


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFacts:
    """Facts about a partition whose state or newest checkpoint is damaged.

    Parameters
    ----------
    partition
        Which one.
    directory
        Of its state.
    state_unknown
        There is a state in `directory` that was not looked at: only the checkpoint was.
    damaged_checkpoints
        Their folders, newest first, down to the first sound one.
    sound_checkpoint
        Offset of the newest sound checkpoint; None where there is none.
    log_start
        The oldest offset that the log still has; None where that is not known.
    history
        Clicks that state began with from before the log; None where that is not known.
    """

    partition: int
    directory: Path
    state_unknown: bool = False
    damaged_checkpoints: tuple[str, ...] = field(default=())
    sound_checkpoint: int | None = None
    log_start: int | None = None
    history: int | None = None

    @property
    def log_holds_all(self) -> bool:
        """Whether reading the log from its start gives this state again."""
        return self.log_start == 0 and self.history == 0


def repair_advice(facts: StateFacts) -> str:
    """Return the steps that mend the partition and lose nothing that is still there."""
    return f"partition {facts.partition}: {_way_out(facts)}"


def _way_out(facts: StateFacts) -> str:
    if facts.state_unknown:
        return (
            "its newest checkpoint is damaged, the state itself perhaps not: stop ingest and run "
            "`gsr state check --live`. If that finds it sound, start ingest again, which "
            "publishes a sound checkpoint with the next clicks; else do what it says"
        )
    away = [f"move {folder} away" for folder in facts.damaged_checkpoints]
    sound, start = facts.sound_checkpoint, facts.log_start
    if sound is not None:
        restore = f"run `gsr state restore --partition {facts.partition}`"
        begin = ", ".join(("stop ingest", *away, restore))
        if start is not None and start > sound:
            return (
                f"{begin} and start ingest once with --set ingest.accept_gap=true. The "
                f"{start - sound} records between the checkpoint of offset {sound} and the log's "
                f"start at {start} are lost unless a backup has a newer state: look for one first"
            )
        return (
            f"{begin} and start ingest again: it goes on from the checkpoint of offset {sound} "
            "and reads the rest from the log"
        )
    if facts.log_holds_all:
        steps = ", ".join(("stop ingest", *away, f"move {facts.directory} away"))
        return (
            f"there is no sound checkpoint, but the log still holds everything: {steps} and start "
            "ingest again, which builds the state anew from offset 0"
        )
    return (
        "there is no sound checkpoint, and the log alone cannot give this state again"
        f"{_what_is_missing(facts)}: stop ingest and put back a backup of {facts.directory} or of "
        "the artifact store. Without one keep what is there, and build another state beside it: "
        "`gsr bootstrap` with the files that hold the clicks, and a fresh --state"
    )


def _what_is_missing(facts: StateFacts) -> str:
    if facts.history:
        return f" (it began with history from before the log: {facts.history} clicks)"
    if facts.log_start:
        return f" (records before offset {facts.log_start} have left the log)"
    if facts.log_start is None:
        return " as far as can be seen from here (the log does not answer: name it with --log)"
    return " as far as can be told (whether it began with history from before the log is unknown)"


def find_problems(path: Path) -> list[str]:
    """Return the faults of a state or checkpoint; that it cannot be opened is one."""
    try:
        return check(path)
    except StateCorruptError as error:
        return [f"It cannot be read ({error.__cause__ or error})."]


def gather_facts(
    config: GsrConfig,
    store: ArtifactStore,
    partition: int,
    *,
    live: bool,
    log_start: int | None,
) -> StateFacts:
    """Collect the facts about a damaged partition.

    Parameters
    ----------
    config, store
        Say where state and checkpoints are.
    partition
        Which one.
    live
        The state itself was found damaged; else its newest checkpoint was.
    log_start
        The oldest offset that the log still has; None where that is not known.
    """
    directory = config.ingest_directory / f"partition-{partition}"
    damaged, sound = [], None
    paths = [directory] if live else []
    for number in reversed(store.checkpoints(partition)):
        path = store.checkpoint_path(partition, number)
        paths.append(path)
        if not find_problems(path):
            sound = number
            break
        damaged.append(f"{config.artifacts_url}/{store.checkpoint_folder(partition, number)}")
    # All partitions of a state began alike, so that another one may tell.
    others = {p: n for p, n in store.newest_checkpoints().items() if p != partition}
    paths += [store.checkpoint_path(p, n) for p, n in others.items()]
    return StateFacts(
        partition=partition,
        directory=directory,
        state_unknown=not live and holds_state(directory),
        damaged_checkpoints=tuple(damaged),
        sound_checkpoint=sound,
        log_start=log_start,
        history=next((known for path in paths if (known := _history(path)) is not None), None),
    )


def _history(path: Path) -> int | None:
    """Return how many clicks from before the log a state began with; None: it cannot tell."""
    try:
        with Checkpoint.open(path) as opened:
            return opened.history()
    except (StateCorruptError, StateMismatchError):
        return None


def live_states(ingest_directory: Path) -> dict[int, Path]:
    """Return partition -> directory of the states that ingest keeps."""
    found = {}
    for path in ingest_directory.glob("partition-*"):
        number = path.name.removeprefix("partition-")
        if number.isdecimal() and holds_state(path):
            found[int(number)] = path
    return found


def log_starts(config: GsrConfig) -> dict[int, int]:
    """Return partition -> oldest offset of clicks; nothing where the log cannot be looked at."""
    try:
        log = open_log(config.log.url, SystemClock(), config.kafka)
    except LogError:
        return {}
    try:
        return dict(log.start_offsets(config.log.clicks))
    except LogError:
        return {}
    finally:
        log.close()
