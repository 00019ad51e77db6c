"""Numbered artifacts of one kind: a folder for each, and a pointer to the current one."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import xxhash

from consumers.artifacts.files import Files
from consumers.errors import ArtifactError, NotFoundError
from stream.clock import Clock

_CURRENT: Final = "CURRENT"
_READ_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Artifact:
    """A numbered artifact, read whole and checked.

    Parameters
    ----------
    number
        Snapshot version or view number; 0 for the journal.
    tensors
        The safetensors file's bytes; of a snapshot or view in memory of their own, so that arrays
        need not be copied out of them.
    metadata
        The manifest. The store adds `version` (snapshots) or `number` (views), `created_at`,
        `bytes` and `checksum`.
    """

    number: int
    tensors: bytes | memoryview
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NumberedArtifacts:
    """Publishes and reads the artifacts of one kind, and prunes old ones.

    Parameters
    ----------
    files, clock
        The place, and what stamps `created_at`.
    folder
        Of all of this kind; each has a folder in it, named by its number.
    tensors, manifest
        Names of an artifact's two files.
    number
        Under this name the manifest has the number.
    keep
        How many of the newest are kept.
    remedy
        What to do about a damaged one.
    """

    files: Files
    clock: Clock
    folder: str
    tensors: str
    manifest: str
    number: str
    keep: int
    remedy: str

    def publish(self, tensors: bytes, facts: Mapping[str, Any], above: int = 0) -> int:
        """Publish an artifact and make it current; return its number, larger than `above`."""
        with self.files.lock(self.folder):
            number = max([*self.numbers(), self.current(), above]) + 1
            stamped = {**facts, self.number: number, **stamps(tensors, self.clock)}
            self.files.create(
                folder_of(self.folder, number),
                {self.tensors: tensors, self.manifest: to_json(stamped)},
            )
            self.files.replace(f"{self.folder}/{_CURRENT}", f"{number}\n".encode())
            for old in self.numbers()[: -self.keep]:
                self.files.remove(folder_of(self.folder, old))
        return number

    def current(self) -> int:
        """Return the current one's number, 0 where there is none yet."""
        name = f"{self.folder}/{_CURRENT}"
        if not self.files.exists(name):
            return 0
        text = self.files.read(name)
        try:
            return int(text)
        except ValueError:
            raise ArtifactError(
                f"{name} holds {text[:20]!r} instead of a number: write the number of the newest "
                f"folder beside it into it"
            ) from None

    def read(self, number: int | None = None) -> Artifact:
        """Read and check an artifact (the current one by default).

        Raises
        ------
        ArtifactError
            It is missing or torn.
        """
        attempts = 1 if number is not None else _READ_ATTEMPTS
        while True:
            attempts -= 1
            wanted = self.current() if number is None else number
            if not wanted:
                raise ArtifactError(f"there are no {self.folder} yet: the trainer makes them")
            folder = folder_of(self.folder, wanted)
            try:
                facts = self.read_manifest(wanted)
                tensors = self.files.read_writable(f"{folder}/{self.tensors}")
            except (ArtifactError, NotFoundError) as error:
                # The current one may have been replaced and pruned between two reads.
                if not attempts:
                    raise ArtifactError(str(error)) from None
                continue
            check(tensors, facts, folder, self.remedy)
            return Artifact(wanted, tensors, facts)

    def read_manifest(self, number: int) -> dict[str, Any]:
        """Return one artifact's manifest.

        Raises
        ------
        NotFoundError
            There is no such number (any more).
        ArtifactError
            It is torn.
        """
        name = f"{folder_of(self.folder, number)}/{self.manifest}"
        try:
            facts: dict[str, Any] = json.loads(self.files.read(name))
        except ArtifactError:
            if self.files.exists(name):
                raise
            there = ", ".join(map(str, self.numbers())) or "none"
            msg = f"there is no {self.number} {number}; there are: {there}"
            raise NotFoundError(msg) from None
        except ValueError:
            raise ArtifactError(f"{name} is torn: {self.remedy}") from None
        return facts

    def manifests(self) -> list[dict[str, Any]]:
        """Return the manifests of all that there are, smallest number first.

        Another process may prune meanwhile: what it took away is left out.
        """
        found = []
        for number in self.numbers():
            with contextlib.suppress(NotFoundError):
                found.append(self.read_manifest(number))
        return found

    def numbers(self) -> list[int]:
        """Return the numbers that there are, smallest first."""
        return numbers_in(self.files, self.folder)


def folder_of(folder: str, number: int) -> str:
    """Return the folder of one number inside the folder of its kind."""
    return f"{folder}/{number:06d}"


def numbers_in(files: Files, folder: str) -> list[int]:
    """Return the numbers that folders inside `folder` are named by, smallest first."""
    return sorted(int(name) for name in files.folders(folder) if name.isdecimal())


def stamps(tensors: bytes, clock: Clock) -> dict[str, Any]:
    """Return the entries of a manifest about time, size and checksum."""
    return {
        "created_at": clock.time(),
        "bytes": len(tensors),
        "checksum": xxhash.xxh3_128_hexdigest(tensors),
    }


def check(tensors: bytes | memoryview, manifest: Mapping[str, Any], name: str, remedy: str) -> None:
    """Compare tensors with the size and the checksum of their manifest.

    Raises
    ------
    ArtifactError
        They differ; tells the remedy.
    """
    if (
        len(tensors) != manifest["bytes"]
        or xxhash.xxh3_128_hexdigest(tensors) != manifest["checksum"]
    ):
        raise ArtifactError(f"{name} does not match its checksum: {remedy}")


def to_json(value: object) -> bytes:
    """Return JSON as all manifests are written."""
    return json.dumps(value, indent=1, sort_keys=True).encode()
