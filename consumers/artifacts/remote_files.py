"""Artifacts in an fsspec location, such as a bucket of an object store.

There is no rename, so a folder exists once its manifest does, and that is written last.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import xxhash

from consumers.artifacts.files import ASIDE, WriteCheckpoint, plain_errors

_CHECKPOINT_LIST: Final = "files.json"
_KEPT_BESIDE: Final = 1
"""Fetched checkpoints that stay beside the one fetched last: somebody may still read them."""


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
        with self._plain_errors(name):
            data: bytes = self._filesystem.cat_file(f"{self._root}/{name}")
            return data

    def read_writable(self, name: str) -> memoryview:
        """Return a file in memory of its own; ArtifactError where there is none."""
        return memoryview(bytearray(self.read(name)))

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        self._filesystem.invalidate_cache()
        return bool(self._filesystem.exists(f"{self._root}/{name}"))

    def replace(self, name: str, data: bytes) -> None:
        """Put one object, which stores do all or nothing."""
        with self._plain_errors(name):
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
        with self._plain_errors(name):
            if self._filesystem.exists(f"{self._root}/{name}"):
                self._filesystem.rm(f"{self._root}/{name}", recursive=True)

    def add_checkpoint(self, folder: str, write: WriteCheckpoint) -> None:
        """Upload what is not there yet, then the list of files."""
        local = self._scratch / "outgoing" / folder
        shutil.rmtree(local, ignore_errors=True)
        partition, _, _ = folder.rpartition("/")
        with self._plain_errors(folder):
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
        with self._plain_errors(folder):
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
        aside = local.with_name(f"{ASIDE}{local.name}")
        with self._plain_errors(folder):
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
            fetched = {path for path in local.parent.iterdir() if path.name.isdecimal()}
            for path in sorted(fetched - {local})[:-_KEPT_BESIDE]:
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

    def _plain_errors(self, name: str) -> AbstractContextManager[None]:
        return plain_errors(Path(f"{self._root}/{name}"))
