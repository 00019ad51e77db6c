"""A stopped replay's state on disk, from which `--resume` goes on."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from consumers.errors import ConfigError, NotFoundError
from consumers.offline.click_history import ClickHistory
from consumers.offline.replay.saved_state import restore, save

DIRECTORY: Final = ".stopped"
"""Beside the results; gone once these are there."""

SAVE_SECONDS: Final = 300.0
"""A run that is killed loses no more work than this."""

_STATE: Final = "stopped.npz"


class StoppedReplay:
    """The place where a replay keeps its state while it runs.

    Parameters
    ----------
    out
        Directory of the results.
    identity
        See `identity_of`: only the same replay goes on.
    """

    def __init__(self, out: Path, identity: str) -> None:
        self.directory = out / DIRECTORY
        self._identity = identity

    def save(self, done: int, roots: Mapping[str, object]) -> None:
        """Keep the state after `done` clicks in place of an earlier one.

        Raises
        ------
        StorageFullError
            It cannot be written; the earlier one is still there.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        save(self.directory / _STATE, {"identity": self._identity, "done": done, "run": roots})

    def done(self) -> int:
        """Return how many clicks are behind the run that stopped, which is of the same replay.

        Raises
        ------
        NotFoundError, ConfigError, ArtifactError
            See `restore`.
        """
        path = self.directory / _STATE
        if not path.is_file():
            raise NotFoundError(
                f"{self.directory.parent} holds no stopped replay: run without --resume"
            )
        found = restore(path, {"identity": "", "done": 0})
        if found["identity"] != self._identity:
            raise ConfigError(
                f"the replay that stopped in {self.directory.parent} had other events or options: "
                "give the same ones, or run without --resume"
            )
        return int(found["done"])

    def restore(self, roots: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Fill the objects of a fresh run; return how many clicks are behind it, and its roots.

        Raises
        ------
        NotFoundError
            There is none.
        ConfigError
            It is of another replay.
        ArtifactError
            It cannot be read.
        """
        done = self.done()
        found = restore(self.directory / _STATE, {"run": dict(roots)})
        return done, found["run"]

    @property
    def exists(self) -> bool:
        """Whether there is something to go on from."""
        return (self.directory / _STATE).is_file()

    def remove(self) -> None:
        """Forget it: the results are there, or a run begins anew."""
        shutil.rmtree(self.directory, ignore_errors=True)


def identity_of(history: ClickHistory, options: Mapping[str, Any]) -> str:
    """Return a digest of what a replay's outcome depends on.

    Parameters
    ----------
    history
        The events: how many, and when.
    options
        JSON values.
    """
    told = {"events": asdict(history.summary), "options": options}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
