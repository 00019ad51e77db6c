"""Far away, a checkpoint costs what is new in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from consumers.artifacts.remote_files import RemoteFiles
from consumers.artifacts.store import ArtifactStore
from stream.clock import ManualClock
from tests.consumers.checkpoint_files import checkpoint

ROOT = "/artifacts-far-away"


@pytest.fixture
def filesystem() -> Iterator[Any]:
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.rm(ROOT, recursive=True)


def test_far_away_tables_are_uploaded_once(filesystem: Any, tmp_path: Path) -> None:
    """A checkpoint that shares tables with the one before uploads only the new ones."""
    store = ArtifactStore(
        RemoteFiles(filesystem, ROOT, tmp_path), ManualClock(), keep_checkpoints=2
    )

    def tables() -> int:
        return len(filesystem.ls(f"{ROOT}/checkpoints/partition-0/files", detail=False))

    store.publish_checkpoint(0, 1, checkpoint(a_sst="a", b_sst="b"))
    assert tables() == 2
    store.publish_checkpoint(0, 2, checkpoint(a_sst="a", b_sst="b", c_sst="c"))
    assert tables() == 3
    store.publish_checkpoint(0, 3, checkpoint(c_sst="c", d_sst="d"))
    store.publish_checkpoint(0, 4, checkpoint(d_sst="d"))
    assert tables() == 2


def test_few_fetched_checkpoints_are_kept_here(filesystem: Any, tmp_path: Path) -> None:
    """The one fetched last and the newest other, with the tables that they share."""
    files = RemoteFiles(filesystem, ROOT, tmp_path)
    store = ArtifactStore(files, ManualClock(), keep_checkpoints=4)
    for number in range(1, 5):
        store.publish_checkpoint(0, number, checkpoint(a_sst="a", **{f"b{number}_sst": "b"}))
        assert (store.checkpoint_path(0, number) / "a.sst").read_text() == "a"
    fetched = tmp_path / "incoming" / "checkpoints" / "partition-0"
    assert sorted(path.name for path in fetched.iterdir()) == ["000003", "000004", "files"]
    assert len(list((fetched / "files").iterdir())) == 2
    assert (store.checkpoint_path(0, 1) / "b1.sst").read_text() == "b"
    assert sorted(path.name for path in fetched.iterdir()) == ["000001", "000004", "files"]
