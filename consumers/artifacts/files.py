"""Files and folders of the artifact store: a local directory, or any fsspec location.

Both promise the same: a reader sees a published file or folder whole, or not at all. Locally that
is write aside, sync, rename. Remote stores have no rename, so a folder exists once its manifest
does, and that is written last.
"""

import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol

import xxhash
from filelock import FileLock

from consumers.errors import ArtifactError
from stream.errors import StorageFullError

WriteCheckpoint = Callable[[Path], None]
"""Creates the directory that it is given and fills it."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
_CHECKPOINT_LIST: Final = "files.json"
_FETCHED_KEPT: Final = 2
_ASIDE: Final = ".aside-"
_ABANDONED_SECONDS: Final = 600.0
"""What is still aside after so long was left by a process that died."""


class Files(Protocol):
    """What the store needs of a place; names are relative, with slashes."""

    def read(self, name: str) -> bytes:
        """Return a file; ArtifactError where there is none."""
        ...

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Write a file, all or nothing."""
        ...

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders inside a folder; [] where there is none."""
        ...

    def create(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Publish a folder of files; the last one is its manifest."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or folder, if it is there."""
        ...

    def add_checkpoint(self, folder: str, write: WriteCheckpoint) -> None:
        """Publish a checkpoint directory."""
        ...

    def drop_checkpoints(self, folder: str, numbers: list[str]) -> None:
        """Remove some checkpoints of a partition and what only they use."""
        ...

    def checkpoint_path(self, folder: str) -> Path:
        """Return a local directory that holds the checkpoint."""
        ...

    def lock(self, folder: str) -> AbstractContextManager[object]:
        """Keep other processes of this machine from publishing in a folder."""
        ...


class LocalFiles:
    """Files in a local directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes:
        """Return a file; ArtifactError where there is none."""
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"cannot read {self._root / name}: {error.strerror}") from None

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        return (self._root / name).exists()

    def replace(self, name: str, data: bytes) -> None:
        """Write aside, sync, rename over the old file."""
        path = self._root / name
        aside = path.with_name(f"{_ASIDE}{path.name}")
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(aside, data)
            aside.replace(path)
            _sync_folder(path.parent)

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
                    _sync(path)

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
        with _told(path):
            path.mkdir(parents=True, exist_ok=True)
            return FileLock(path / ".lock")

    def _create(self, folder: str, write: WriteCheckpoint, *, abandoned_seconds: float) -> None:
        path = self._root / folder
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(path.parent, abandoned_seconds)
            # A name of its own: another process may be publishing here, knowing of nothing.
            aside = path.with_name(f"{_ASIDE}{path.name}-{uuid.uuid4().hex}")
            try:
                write(aside)
                _sync_folder(aside)
                aside.rename(path)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            _sync_folder(path.parent)


class RemoteFiles:
    """Files in an fsspec location.

    Checkpoints share their tables: each is uploaded once, under its content's hash.

    Parameters
    ----------
    filesystem
        An `fsspec.AbstractFileSystem`.
    root
        The location inside it.
    scratch
        Local directory for checkpoints on their way; best on the state's file system, so that
        they are made by hard links.
    """

    def __init__(self, filesystem: Any, root: str, scratch: Path) -> None:
        self._filesystem = filesystem
        self._root = root.rstrip("/")
        self._scratch = scratch
        self._hashes: dict[tuple[str, int, int], str] = {}

    def read(self, name: str) -> bytes:
        """Return a file; ArtifactError where there is none."""
        with self._told(name):
            data: bytes = self._filesystem.cat_file(f"{self._root}/{name}")
            return data

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        self._filesystem.invalidate_cache()
        return bool(self._filesystem.exists(f"{self._root}/{name}"))

    def replace(self, name: str, data: bytes) -> None:
        """Put one object, which stores do all or nothing."""
        with self._told(name):
            self._filesystem.pipe_file(f"{self._root}/{name}", data)

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders inside a folder; [] where there is none."""
        self._filesystem.invalidate_cache()
        try:
            entries = self._filesystem.ls(f"{self._root}/{name}", detail=True)
        except FileNotFoundError:
            return []
        return [
            entry["name"].rstrip("/").rpartition("/")[2]
            for entry in entries
            if entry["type"] == "directory"
        ]

    def create(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Put the files in order: the manifest, being last, makes the folder valid."""
        for name, data in files.items():
            self.replace(f"{folder}/{name}", data)

    def remove(self, name: str) -> None:
        """Remove a file or folder, if it is there."""
        with self._told(name):
            if self._filesystem.exists(f"{self._root}/{name}"):
                self._filesystem.rm(f"{self._root}/{name}", recursive=True)

    def add_checkpoint(self, folder: str, write: WriteCheckpoint) -> None:
        """Upload what is not there yet, then the list of files."""
        local = self._scratch / "outgoing" / folder
        shutil.rmtree(local, ignore_errors=True)
        partition, _, _ = folder.rpartition("/")
        with self._told(folder):
            local.parent.mkdir(parents=True, exist_ok=True)
            try:
                write(local)
                files = {
                    path: f"{partition}/files/{self._hash(path)}"
                    for path in sorted(local.iterdir())
                }
                self._upload_missing(files)
                names = {path.name: name for path, name in files.items()}
                self.replace(f"{folder}/{_CHECKPOINT_LIST}", json.dumps(names).encode())
                # Another owner of the partition may have removed a table as unused before it was
                # in the list.
                self._upload_missing(files)
            finally:
                shutil.rmtree(local, ignore_errors=True)

    def _upload_missing(self, files: Mapping[Path, str]) -> None:
        self._filesystem.invalidate_cache()
        for path, name in files.items():
            if not self._filesystem.exists(f"{self._root}/{name}"):
                self._filesystem.put_file(str(path), f"{self._root}/{name}")

    def drop_checkpoints(self, folder: str, numbers: list[str]) -> None:
        """Remove some checkpoints' lists, then the files that no list names any more."""
        for number in numbers:
            self.remove(f"{folder}/{number}")
        used = {
            name
            for number in self.folders(folder)
            if number != "files" and self.exists(f"{folder}/{number}/{_CHECKPOINT_LIST}")
            for name in self._list(f"{folder}/{number}").values()
        }
        with self._told(folder):
            for path in self._filesystem.ls(f"{self._root}/{folder}/files", detail=False):
                name = f"{folder}/files/{path.rpartition('/')[2]}"
                if name not in used:
                    self.remove(name)

    def checkpoint_path(self, folder: str) -> Path:
        """Download what is not here yet; return the local directory."""
        local = self._scratch / "incoming" / folder
        if local.is_dir():
            return local
        wanted = self._list(folder)
        cache = local.parent / "files"
        aside = local.with_name(f"{_ASIDE}{local.name}")
        with self._told(folder):
            cache.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            for file, name in wanted.items():
                cached = cache / name.rpartition("/")[2]
                if not cached.exists():
                    part = cached.with_suffix(".part")
                    self._filesystem.get_file(f"{self._root}/{name}", str(part))
                    part.replace(cached)
                os.link(cached, aside / file)
            aside.rename(local)
            fetched = sorted(path for path in local.parent.iterdir() if path.name.isdecimal())
            for path in fetched[:-_FETCHED_KEPT]:
                shutil.rmtree(path, ignore_errors=True)
            for path in cache.iterdir():
                if path.stat().st_nlink == 1:  # no fetched checkpoint links to it
                    path.unlink()
        return local

    def lock(self, folder: str) -> AbstractContextManager[object]:  # noqa: ARG002  # see below
        """Remote stores have no lock: one trainer writes, and rollbacks wait for it to stop."""
        return nullcontext()

    def _list(self, folder: str) -> dict[str, str]:
        files: dict[str, str] = json.loads(self.read(f"{folder}/{_CHECKPOINT_LIST}"))
        return files

    def _hash(self, path: Path) -> str:
        status = path.stat()
        key = (path.name, status.st_ino, status.st_mtime_ns)
        if path.suffix != ".sst":
            return xxhash.xxh3_128_hexdigest(path.read_bytes())
        if key not in self._hashes:  # tables never change once written
            self._hashes[key] = xxhash.xxh3_128_hexdigest(path.read_bytes())
        return self._hashes[key]

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        with _told(Path(f"{self._root}/{name}")):
            yield


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn trouble with files into what an operator understands."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFullError(
                f"cannot write {path}: {error.strerror}. Free space or correct the permissions."
            ) from error
        raise ArtifactError(f"{path}: {error.strerror or error}") from error


def _remove_abandoned(folder: Path, seconds: float) -> None:
    for leftover in folder.glob(f"{_ASIDE}*"):
        try:
            age = time.time() - leftover.stat().st_mtime
        except FileNotFoundError:
            continue
        if age >= seconds:
            shutil.rmtree(leftover, ignore_errors=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_sync_folder = _sync
