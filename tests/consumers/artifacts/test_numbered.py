"""Numbered artifacts are checked when they are read, and never mistaken for one another."""

from pathlib import Path

import pytest

from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.store import ArtifactStore
from consumers.errors import ArtifactError, NotFoundError
from stream.clock import ManualClock


@pytest.mark.parametrize("damage", [b"", b"weight", b"weightz", b"weights and more"])
def test_damage_is_noticed(damage: bytes, tmp_path: Path) -> None:
    """A torn or changed file is never served."""
    store = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    store.publish_snapshot(b"weights", {})
    (tmp_path / "snapshots" / "000001" / "model.safetensors").write_bytes(damage)
    with pytest.raises(ArtifactError, match="checksum"):
        store.read_snapshot()


def test_a_torn_manifest_is_noticed(tmp_path: Path) -> None:
    """A manifest that is not JSON is an artifact error, with the way out."""
    store = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    store.publish_snapshot(b"weights", {})
    (tmp_path / "snapshots" / "000001" / "manifest.json").write_text('{"ver')
    with pytest.raises(ArtifactError, match="torn"):
        store.read_snapshot()
    (tmp_path / "snapshots" / "CURRENT").write_text("")
    with pytest.raises(ArtifactError, match="instead of a number"):
        store.current_snapshot()


class PrunedWhileRead(LocalFiles):
    """Files of which another process prunes the oldest snapshot when a manifest is first read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.pruned = False

    def read(self, name: str) -> bytes:
        """Return a file, once the oldest snapshot is gone."""
        if name.endswith("manifest.json") and not self.pruned:
            self.pruned = True
            self.remove("snapshots/000001")
        return super().read(name)


def test_what_is_pruned_while_all_are_read_is_left_out(tmp_path: Path) -> None:
    """The publisher lists versions while the trainer prunes: it must not end by that."""
    ArtifactStore(LocalFiles(tmp_path), ManualClock()).publish_snapshot(b"x", {})
    ArtifactStore(LocalFiles(tmp_path), ManualClock()).publish_snapshot(b"y", {})
    store = ArtifactStore(PrunedWhileRead(tmp_path), ManualClock())
    assert [manifest["version"] for manifest in store.snapshots()] == [2]
    with pytest.raises(NotFoundError, match="no version 1; there are: 2"):
        store.snapshot_manifest(1)


def test_two_processes_may_publish_snapshots(tmp_path: Path) -> None:
    """A rollback by hand and the trainer never mint the same version."""
    first = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    second = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    versions = [store.publish_snapshot(b"x", {}) for store in (first, second, first, second)]
    assert versions == [1, 2, 3, 4]
