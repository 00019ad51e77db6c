"""Store of checkpoints, snapshots, serving views and the trainer's journal.

::

    checkpoints/partition-N/000123/          a RocksDB checkpoint as of offset 123 in clicks, by
                                             hard links where local
    pins/NAME.json                           checkpoints that must not be pruned
    snapshots/000042/{model.safetensors, manifest.json}
    snapshots/CURRENT                        the serving snapshot's number
    views/000777/{view.safetensors, view.json}
    views/CURRENT
    trainer/journal-CHECKSUM.safetensors     the journal's tensors
    trainer/journal.json                     the journal's metadata; names the file of tensors
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from consumers.artifacts.files import Files
from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.numbered import (
    Artifact,
    NumberedArtifacts,
    check,
    folder_of,
    numbers_in,
    stamps,
    to_json,
)
from consumers.artifacts.remote_files import RemoteFiles
from consumers.config.loading import read_options
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, ConfigError
from stream.clock import Clock

FOLDERS: Final = ("checkpoints", "pins", "snapshots", "trainer", "views")
"""What a store consists of."""

LEARN_ANEW: Final = (
    "move the folder `trainer` of the artifact store away: another model is learned from the "
    "clicks that state still holds, and the served one stays until the first new one is promoted"
)
"""How the trainer gives up what it has learned."""

_JOURNAL_REMEDY: Final = f"put the folder `trainer` back from a backup, or {LEARN_ANEW}"


class ArtifactStore:
    """Artifacts in a directory or any fsspec location; one writer per kind.

    A checkpoint's number is the offset up to which it has applied its partition: so the newest is
    the one that knows most, whoever wrote it. Other numbers begin at 1, grow and are never reused.
    Whatever is published is whole: written aside, synced, renamed, then pointed to. Readers check
    size and checksum.

    Parameters
    ----------
    files
        The place.
    clock
        Stamps `created_at`.
    keep_checkpoints, keep_snapshots, keep_views
        How many of the newest are kept; pinned checkpoints are kept besides.
    """

    def __init__(
        self,
        files: Files,
        clock: Clock,
        *,
        keep_checkpoints: int = 3,
        keep_snapshots: int = 10,
        keep_views: int = 3,
    ) -> None:
        self._files = files
        self._clock = clock
        self._keep_checkpoints = keep_checkpoints
        self._snapshots = NumberedArtifacts(
            files,
            clock,
            folder="snapshots",
            tensors="model.safetensors",
            manifest="manifest.json",
            number="version",
            keep=keep_snapshots,
            remedy="restore it from a backup, or `gsr models rollback` to another one",
        )
        self._views = NumberedArtifacts(
            files,
            clock,
            folder="views",
            tensors="view.safetensors",
            manifest="view.json",
            number="number",
            keep=keep_views,
            remedy="the trainer's next one replaces it",
        )

    # Checkpoints: written by ingest, read by the trainer.

    def publish_checkpoint(self, partition: int, offset: int, write: Callable[[Path], None]) -> int:
        """Publish the checkpoint that `write` creates in a directory that does not exist yet.

        Does nothing where there is one of `offset` or later already: two owners of one partition,
        one of whom does not know yet that it no longer is, cannot turn time back.

        Parameters
        ----------
        partition
            Whose.
        offset
            Everything before it is in the checkpoint; its number. Not negative.
        write
            Makes it.

        Returns
        -------
        The newest number. Old ones are pruned: the newest few and pinned ones stay.
        """
        folder = f"checkpoints/partition-{partition}"
        newest = max(numbers_in(self._files, folder), default=-1)
        if newest >= offset:
            return newest
        self._files.add_checkpoint(folder_of(folder, offset), write)
        pinned = {
            pins[partition]
            for name in self._pin_names()
            if partition in (pins := self.pinned_checkpoints(name))
        }
        old = numbers_in(self._files, folder)[: -self._keep_checkpoints]
        surplus = [f"{number:06d}" for number in old if number not in pinned]
        if surplus:
            self._files.drop_checkpoints(folder, surplus)
        return offset

    def newest_checkpoint(self, partition: int) -> int | None:
        """Return the number of a partition's newest checkpoint, None where there is none."""
        return max(numbers_in(self._files, f"checkpoints/partition-{partition}"), default=None)

    def newest_checkpoints(self) -> dict[int, int]:
        """Return partition -> number of its newest checkpoint."""
        newest = {}
        for folder in self._files.folders("checkpoints"):
            partition = folder.removeprefix("partition-")
            numbers = numbers_in(self._files, f"checkpoints/{folder}")
            if partition.isdecimal() and numbers:
                newest[int(partition)] = numbers[-1]
        return dict(sorted(newest.items()))

    def checkpoints(self, partition: int) -> list[int]:
        """Return the numbers of a partition's checkpoints, oldest first."""
        return numbers_in(self._files, f"checkpoints/partition-{partition}")

    def checkpoint_folder(self, partition: int, number: int) -> str:
        """Return the name of a checkpoint's folder inside the store."""
        return folder_of(f"checkpoints/partition-{partition}", number)

    def checkpoint_path(self, partition: int, number: int) -> Path:
        """Return a local directory that holds the checkpoint (fetched first where remote)."""
        return self._files.checkpoint_path(self.checkpoint_folder(partition, number))

    def pin_checkpoints(self, name: str, numbers: Mapping[int, int]) -> None:
        """Keep exactly these checkpoints (partition -> number) alive for `name`, atomically."""
        names = {*self._pin_names(), name}
        self._files.replace(f"pins/{name}.json", to_json({str(k): v for k, v in numbers.items()}))
        if names != set(self._pin_names()):
            self._files.replace("pins/names.json", to_json(sorted(names)))

    def pinned_checkpoints(self, name: str) -> dict[int, int]:
        """Return the checkpoints that `name` pinned, partition -> number."""
        if not self._files.exists(f"pins/{name}.json"):
            return {}
        pins = json.loads(self._files.read(f"pins/{name}.json"))
        return {int(partition): number for partition, number in pins.items()}

    # Snapshots: written by the trainer, read by the publisher.

    def publish_snapshot(self, tensors: bytes, manifest: Mapping[str, Any], above: int = 0) -> int:
        """Publish a model and make it current; returns its version, larger than `above`."""
        return self._snapshots.publish(tensors, manifest, above)

    def current_snapshot(self) -> int:
        """Return the serving version, 0 where there is none yet. Cheap: poll it."""
        return self._snapshots.current()

    def read_snapshot(self, version: int | None = None) -> Artifact:
        """Read and check a snapshot (the current one by default).

        Raises
        ------
        ArtifactError
            It is missing or torn.
        """
        return self._snapshots.read(version)

    def snapshots(self) -> list[dict[str, Any]]:
        """Return the manifests of all snapshots, oldest first."""
        return self._snapshots.manifests()

    def snapshot_manifest(self, version: int) -> dict[str, Any]:
        """Return one snapshot's manifest.

        Raises
        ------
        NotFoundError
            There is no such version (any more).
        """
        return self._snapshots.read_manifest(version)

    def rollback(self, version: int, above: int = 0) -> int:
        """Publish snapshot `version` again under a new version, which is returned.

        The new manifest's `restored_from` names what it restores.

        Parameters
        ----------
        version
            What to publish again.
        above
            The new version is larger than this one too.

        Raises
        ------
        NotFoundError
            There is no such version (any more).
        """
        self.snapshot_manifest(version)
        old = self.read_snapshot(version)
        return self.publish_snapshot(
            bytes(old.tensors),
            {**old.metadata, "parent": self.current_snapshot(), "restored_from": version},
            above,
        )

    # Serving views: written by the trainer, read by the publisher.

    def publish_view(self, tensors: bytes, metadata: Mapping[str, Any]) -> int:
        """Publish a serving view and make it current; returns its number."""
        return self._views.publish(tensors, metadata)

    def current_view(self) -> int:
        """Return the newest view's number, 0 where there is none yet. Cheap: poll it."""
        return self._views.current()

    def read_view(self, number: int | None = None) -> Artifact:
        """Read and check a view (the current one by default)."""
        return self._views.read(number)

    # The trainer's journal.

    def save_journal(self, tensors: bytes, metadata: Mapping[str, Any]) -> None:
        """Replace the journal, all or nothing."""
        stamped = stamps(tensors, self._clock)
        file = f"journal-{stamped['checksum']}.safetensors"
        old = self.journal_manifest()
        self._files.replace(f"trainer/{file}", tensors)
        manifest = {**metadata, **stamped, "tensors": file}
        self._files.replace("trainer/journal.json", to_json(manifest))
        if old is not None and old["tensors"] != file:
            self._files.remove(f"trainer/{old['tensors']}")

    def load_journal(self) -> Artifact | None:
        """Return the journal, or None where there is none yet."""
        manifest = self.journal_manifest()
        if manifest is None:
            return None
        tensors = self._files.read(f"trainer/{manifest['tensors']}")
        check(tensors, manifest, "the trainer's journal", _JOURNAL_REMEDY)
        return Artifact(0, tensors, manifest)

    def journal_manifest(self) -> dict[str, Any] | None:
        """Return the journal's manifest, or None where there is none yet.

        Raises
        ------
        ArtifactError
            It is torn.
        """
        if not self._files.exists("trainer/journal.json"):
            return None
        try:
            manifest: dict[str, Any] = json.loads(self._files.read("trainer/journal.json"))
        except ValueError:
            raise ArtifactError(f"trainer/journal.json is torn: {_JOURNAL_REMEDY}") from None
        return manifest

    def _pin_names(self) -> list[str]:
        if not self._files.exists("pins/names.json"):
            return []
        names: list[str] = json.loads(self._files.read("pins/names.json"))
        return names


def open_artifacts(config: GsrConfig, clock: Clock) -> ArtifactStore:
    """Open the store that the configuration names; nothing is created before it is needed.

    Raises
    ------
    ConfigError
        The location's kind is unknown, or its options are wrong.
    """
    section = config.artifacts
    url = config.artifacts_url
    options = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in read_options(section.options_file).items()
    }
    files: Files
    if "://" in url or "::" in url:
        files = _elsewhere(url, options, config.state.directory / "artifacts-scratch")
    else:
        files = LocalFiles(Path(url).absolute())
    return ArtifactStore(
        files,
        clock,
        keep_checkpoints=section.keep_checkpoints,
        keep_snapshots=section.keep_snapshots,
        keep_views=section.keep_views,
    )


def _elsewhere(url: str, options: Mapping[str, Any], scratch: Path) -> Files:
    import fsspec  # noqa: PLC0415  # takes long, and directories need none of it
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415  # as above

    try:
        filesystem, root = fsspec.core.url_to_fs(url, **options)
    except (ValueError, ImportError, TypeError) as error:
        raise ConfigError(f"artifacts.url {url!r}: {error}") from None
    if isinstance(filesystem, LocalFileSystem):  # file://
        return LocalFiles(Path(root))
    return RemoteFiles(filesystem, root, scratch)
