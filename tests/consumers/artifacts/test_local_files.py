"""In a directory, whatever is published is there whole or not at all."""

import itertools
import os
import shutil
from pathlib import Path

import pytest

from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.store import ArtifactStore
from consumers.errors import ArtifactError
from stream.clock import ManualClock
from stream.errors import StorageFullError


def test_near_tables_are_linked_and_not_copied(tmp_path: Path) -> None:
    """The checkpoint appears by rename: its files are the ones that were written."""
    table = tmp_path / "live.sst"
    table.write_text("table")
    store = ArtifactStore(LocalFiles(tmp_path / "store"), ManualClock())

    def link(directory: Path) -> None:
        directory.mkdir()
        os.link(table, directory / "live.sst")

    store.publish_checkpoint(0, 1, link)
    assert store.checkpoint_path(0, 1).joinpath("live.sst").stat().st_ino == table.stat().st_ino


def test_a_death_before_the_rename_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step a publication dies at, readers see the old one or the new one whole."""
    store = ArtifactStore(LocalFiles(tmp_path), ManualClock())
    store.publish_snapshot(b"old", {})

    class DeadError(BaseException):
        """Stands for kill -9: nothing may clean up after it."""

    remove = shutil.rmtree
    for deadly in itertools.count(1):
        left = [deadly]

        def fsync(_descriptor: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise DeadError

        def rmtree(path: Path, *, ignore_errors: bool, left: list[int] = left) -> None:
            if left[0] > 0:  # the dead clean nothing up
                remove(path, ignore_errors=ignore_errors)

        with monkeypatch.context() as patch:
            patch.setattr("consumers.artifacts.local_files.os.fsync", fsync)
            patch.setattr("consumers.artifacts.local_files.shutil.rmtree", rmtree)
            try:
                store.publish_snapshot(b"new", {})
            except DeadError:
                assert store.read_snapshot().tensors in (b"old", b"new")
                continue
        break
    assert deadly > 4
    assert store.read_snapshot().tensors == b"new"
    assert not list((tmp_path / "snapshots").glob(".aside-0*"))


def test_a_directory_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The message names the path and what to do."""
    (tmp_path / "file").write_text("not a directory")
    store = ArtifactStore(LocalFiles(tmp_path / "file"), ManualClock())
    with pytest.raises((StorageFullError, ArtifactError), match="file"):
        store.publish_view(b"view", {})
