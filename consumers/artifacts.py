"""Where the roles meet: checkpoints, snapshots, serving views and the trainer's journal.

::

    checkpoints/partition-N/000123/          a RocksDB checkpoint, by hard links where local
    pins/NAME.json                           checkpoints that must not be pruned
    snapshots/000042/{model.safetensors, manifest.json}
    snapshots/CURRENT                        the serving snapshot's number
    views/000777/{view.safetensors, view.json}
    views/CURRENT
    trainer/journal-000009.safetensors       the journal's tensors
    trainer/journal.json                     the journal's metadata; names the file of tensors
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Artifact:
    """A numbered artifact, read whole and checked.

    Parameters
    ----------
    number
        Snapshot version or view number.
    tensors
        The safetensors file's bytes.
    metadata
        The manifest. The store adds `version`/`number`, `created_at`, `bytes`, `checksum`.
    """

    number: int
    tensors: bytes
    metadata: dict[str, Any]


class ArtifactStore:
    """Artifacts in a directory or any fsspec location; safe for one writer per kind.

    Numbers begin at 1, grow and are never reused. Whatever is published is whole: written aside,
    synced, renamed, then pointed to. Readers check size and checksum.
    """

    # -- checkpoints (written by ingest, read by the trainer) ----------------------------------

    def publish_checkpoint(self, partition: int, write: Callable[[Path], None]) -> int:
        """Have `write` create a checkpoint in a fresh, not yet existing directory; publish it.

        Returns its number. Old ones are pruned: the newest few and pinned ones stay.
        """
        raise NotImplementedError

    def newest_checkpoints(self) -> dict[int, int]:
        """Return partition -> number of its newest checkpoint."""
        raise NotImplementedError

    def checkpoint_path(self, partition: int, number: int) -> Path:
        """Return a local directory that holds the checkpoint (fetched first where remote)."""
        raise NotImplementedError

    def pin_checkpoints(self, name: str, numbers: Mapping[int, int]) -> None:
        """Keep exactly these checkpoints (partition -> number) alive for `name`, atomically."""
        raise NotImplementedError

    def pinned_checkpoints(self, name: str) -> dict[int, int]:
        """Return what `name` pinned."""
        raise NotImplementedError

    # -- snapshots (written by the trainer, read by the publisher) -----------------------------

    def publish_snapshot(self, tensors: bytes, manifest: Mapping[str, Any]) -> int:
        """Publish a model and make it current; returns its version."""
        raise NotImplementedError

    def current_snapshot(self) -> int:
        """Return the serving version, 0 where there is none yet. Cheap: poll it."""
        raise NotImplementedError

    def read_snapshot(self, version: int | None = None) -> Artifact:
        """Read and check a snapshot (the current one by default)."""
        raise NotImplementedError

    def snapshots(self) -> list[dict[str, Any]]:
        """Return the manifests of all snapshots, oldest first."""
        raise NotImplementedError

    def rollback(self, version: int) -> int:
        """Publish snapshot `version` again under a new version, which is returned.

        The new manifest's `restored_from` names what it restores.
        """
        raise NotImplementedError

    # -- serving views (written by the trainer, read by the publisher) -------------------------

    def publish_view(self, tensors: bytes, metadata: Mapping[str, Any]) -> int:
        """Publish a serving view and make it current; returns its number."""
        raise NotImplementedError

    def current_view(self) -> int:
        """Return the newest view's number, 0 where there is none yet. Cheap: poll it."""
        raise NotImplementedError

    def read_view(self, number: int | None = None) -> Artifact:
        """Read and check a view (the current one by default)."""
        raise NotImplementedError

    # -- the trainer's journal -----------------------------------------------------------------

    def save_journal(self, tensors: bytes, metadata: Mapping[str, Any]) -> None:
        """Replace the journal, all or nothing."""
        raise NotImplementedError

    def load_journal(self) -> Artifact | None:
        """Return the journal, or None where there is none yet."""
        raise NotImplementedError


def open_artifacts(
    url: str,
    *,
    keep_checkpoints: int = 3,
    keep_snapshots: int = 10,
    keep_views: int = 3,
    options: Mapping[str, Any] | None = None,
    pinned: Sequence[str] = (),
) -> ArtifactStore:
    """Open the store at a directory or an fsspec `url`."""
    raise NotImplementedError
