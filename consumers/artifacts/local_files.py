"""Artifacts in a local directory: written aside, synced, renamed."""

import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock

from consumers.artifacts.abandoned import abandoned
from consumers.artifacts.files import ASIDE, WriteCheckpoint, plain_errors
from consumers.errors import ArtifactError
from stream.synced import sync

_ABANDONED_SECONDS: Final = 600.0
"""What is still aside after so long was left by a process that died."""


class LocalFiles:
    """Files in a local directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes:
        """Return a file; ArtifactError where there is none."""
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            raise _unreadable(self._root / name, error) from None

    def read_writable(self, name: str) -> memoryview:
        """Return a file in memory of its own; ArtifactError where there is none."""
        try:
            with (self._root / name).open("rb", buffering=0) as stream:
                # Memory of numpy's comes in large pages, and nobody fills it with zeros first.
                data = np.empty(os.fstat(stream.fileno()).st_size, dtype=np.uint8).data
                done = 0
                while done < len(data) and (count := stream.readinto(data[done:])):
                    done += count
                return data[:done]
        except OSError as error:
            raise _unreadable(self._root / name, error) from None

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        return (self._root / name).exists()

    def replace(self, name: str, data: bytes) -> None:
        """Write aside, sync, rename over the old file."""
        path = self._root / name
        aside = path.with_name(f"{ASIDE}{path.name}")
        with plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(aside, data)
            aside.replace(path)
            sync(path.parent)

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders inside a folder; [] where there is none."""
        try:
            return [entry.name for entry in os.scandir(self._root / name) if entry.is_dir()]
        except FileNotFoundError:
            return []

    def create(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write the folder aside, sync, rename."""

        def write(aside: Path) -> None:
            aside.mkdir()
            for name, data in files.items():
                _write_synced(aside / name, data)

        self._create(folder, write, abandoned_seconds=0.0)  # whoever calls this holds the lock

    def remove(self, name: str) -> None:
        """Remove a file or folder, if it is there."""
        path = self._root / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def add_checkpoint(self, folder: str, write: WriteCheckpoint) -> None:
        """Have the checkpoint written aside (by hard links, on one file system), and rename."""

        def write_and_sync(aside: Path) -> None:
            write(aside)
            for path in aside.iterdir():
                if path.suffix != ".sst":  # tables are synced when the database writes them
                    sync(path)

        try:
            self._create(folder, write_and_sync, abandoned_seconds=_ABANDONED_SECONDS)
        except ArtifactError:
            # Another owner of the partition was faster: what is there is the same.
            if not (self._root / folder).is_dir():
                raise

    def drop_checkpoints(self, folder: str, numbers: list[str]) -> None:
        """Remove some checkpoints; tables live on while another checkpoint links to them."""
        for number in numbers:
            self.remove(f"{folder}/{number}")

    def checkpoint_path(self, folder: str) -> Path:
        """Return the checkpoint's own directory."""
        path = self._root / folder
        if not path.is_dir():
            raise ArtifactError(f"there is no checkpoint {path}")
        return path

    def lock(self, folder: str) -> AbstractContextManager[object]:
        """Keep other processes of this machine from publishing in a folder."""
        path = self._root / folder
        with plain_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            return FileLock(path / ".lock")

    def _create(self, folder: str, write: WriteCheckpoint, *, abandoned_seconds: float) -> None:
        path = self._root / folder
        with plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            for leftover in abandoned(path.parent, f"{ASIDE}*", abandoned_seconds):
                shutil.rmtree(leftover, ignore_errors=True)
            # A name of its own: another process may be publishing here, knowing of nothing.
            aside = path.with_name(f"{ASIDE}{path.name}-{uuid.uuid4().hex}")
            try:
                write(aside)
                sync(aside)
                aside.rename(path)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            sync(path.parent)


def _unreadable(path: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"cannot read {path}: {error.strerror}")


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
