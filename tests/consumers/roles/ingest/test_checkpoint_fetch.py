"""A checkpoint on its way into a state directory."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from consumers.artifacts.store import ArtifactStore
from consumers.roles.ingest.checkpoint_fetch import CheckpointFetch
from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.errors import StateLockedError
from stream.state.directory_lock import DirectoryLock
from stream.state.restoring import holds_state
from stream.state.store import PartitionStore
from tests.stream.state.click_stories import RULES


class SlowArtifacts:
    """An artifact store that answers once it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.go = threading.Event()

    def checkpoint_path(self, _partition: int, _number: int) -> Path:
        self.go.wait(10.0)
        return self.path


@pytest.fixture
def artifacts(tmp_path: Path) -> Iterator[SlowArtifacts]:
    """Return a store with one checkpoint."""
    store = PartitionStore.open(tmp_path / "other", 3, CounterConfig(), RULES, ManualClock())
    store.checkpoint(tmp_path / "checkpoint")
    store.close()
    slow = SlowArtifacts(tmp_path / "checkpoint")
    yield slow
    slow.go.set()


def fetch(
    artifacts: SlowArtifacts, state: Path, refuse: Callable[[Path], None] = lambda _path: None
) -> CheckpointFetch:
    return CheckpointFetch(cast("ArtifactStore", artifacts), 3, 17, state, refuse)


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        threading.Event().wait(0.001)


def test_the_checkpoint_is_in_place_once_it_is_done(
    artifacts: SlowArtifacts, tmp_path: Path
) -> None:
    """Until then nobody has to wait for it."""
    state = tmp_path / "state"
    state.mkdir()
    coming = fetch(artifacts, state)
    assert not coming.done
    artifacts.go.set()
    wait_for(lambda: coming.done)
    assert (coming.number, coming.error) == (17, None)
    assert holds_state(state)


def test_what_may_not_take_the_states_place_does_not(
    artifacts: SlowArtifacts, tmp_path: Path
) -> None:
    """The refusal is kept for whoever asks; the directory is as it was."""
    state = tmp_path / "state"
    state.mkdir()

    def refuse(path: Path) -> None:
        raise LookupError(path.name)

    artifacts.go.set()
    coming = fetch(artifacts, state, refuse)
    wait_for(lambda: coming.done)
    assert isinstance(coming.error, LookupError)
    assert str(coming.error) == "checkpoint"
    assert not holds_state(state)


@pytest.mark.parametrize("ended", [False, True])
def test_the_lock_is_released_once_nothing_writes_there(
    artifacts: SlowArtifacts, tmp_path: Path, ended: bool
) -> None:
    """At once where the fetch has ended, else at its end."""
    state = tmp_path / "state"
    state.mkdir()
    lock = DirectoryLock(state)
    coming = fetch(artifacts, state)
    if ended:
        artifacts.go.set()
        wait_for(lambda: coming.done)
    coming.release_when_done(lock)
    if not ended:
        with pytest.raises(StateLockedError):
            DirectoryLock(state)
        artifacts.go.set()
    wait_for(lambda: is_free(state))


def is_free(directory: Path) -> bool:
    try:
        DirectoryLock(directory).release()
    except StateLockedError:
        return False
    return True
