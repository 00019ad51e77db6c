"""A checkpoint on its way from the artifact store into a state directory."""

import threading
from collections.abc import Callable
from pathlib import Path

from consumers.artifacts.store import ArtifactStore
from stream.state.directory_lock import DirectoryLock
from stream.state.restoring import install_checkpoint


class CheckpointFetch:
    """Brings a checkpoint from the artifact store into a state directory, on a thread.

    Parameters
    ----------
    artifacts
        Where it is.
    partition, number
        Which one.
    path
        The state directory, locked by the caller; its state is replaced.
    refuse_other
        Told where the checkpoint is before that; raises where it may not take the state's place.

    Attributes
    ----------
    number
        Which checkpoint it is.
    error
        What went wrong, once it is `done`; None: the checkpoint is in place.
    """

    def __init__(
        self,
        artifacts: ArtifactStore,
        partition: int,
        number: int,
        path: Path,
        refuse_other: Callable[[Path], None],
    ) -> None:
        self.number = number
        self.error: Exception | None = None
        self._artifacts = artifacts
        self._partition = partition
        self._path = path
        self._refuse_other = refuse_other
        self._lock: DirectoryLock | None = None
        self._ending = threading.Lock()
        self._ended = False
        threading.Thread(target=self._work, name=f"restore-{partition}", daemon=True).start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._ended

    def release_when_done(self, lock: DirectoryLock) -> None:
        """Release the state directory's lock as soon as nothing writes there any more."""
        with self._ending:
            if not self._ended:
                self._lock = lock
                return
        lock.release()

    def _work(self) -> None:
        try:
            checkpoint = self._artifacts.checkpoint_path(self._partition, self.number)
            self._refuse_other(checkpoint)
            install_checkpoint(checkpoint, self._path)
        except Exception as error:  # noqa: BLE001 - raised again where the role can see it
            self.error = error
        with self._ending:
            self._ended = True
        if self._lock is not None:
            self._lock.release()
