"""Numbered artifacts are checked when they are read, and never mistaken for one another."""

from pathlib import Path

import pytest

from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.store import ArtifactStore
from consumers.errors import ArtifactError
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


def test_two_processes_may_publish_snapshots(tmp_path: Path) -> None:
    """A rollback by hand and the trainer never mint the same version."""
    first = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    second = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    versions = [store.publish_snapshot(b"x", {}) for store in (first, second, first, second)]
    assert versions == [1, 2, 3, 4]
