"""A checkpoint becomes the live database, all or nothing."""

import shutil
from pathlib import Path

import pytest

from stream.errors import StorageFullError
from stream.state.restoring import holds_state, install_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Return a directory that looks like a checkpoint."""
    path = tmp_path / "checkpoint"
    path.mkdir()
    (path / "000001.sst").write_text("table")
    (path / "CURRENT").write_text("new")
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "partition-0"
    path.mkdir()
    return path


def test_tables_are_linked_and_the_rest_copied(checkpoint: Path, directory: Path) -> None:
    """RocksDB writes to its small files, never to tables."""
    assert not holds_state(directory)
    install_checkpoint(checkpoint, directory)
    assert holds_state(directory)
    database = directory / "db"
    assert (database / "000001.sst").stat().st_ino == (checkpoint / "000001.sst").stat().st_ino
    assert (database / "CURRENT").stat().st_ino != (checkpoint / "CURRENT").stat().st_ino


def test_it_takes_the_old_ones_place(checkpoint: Path, directory: Path) -> None:
    """Nothing of the old database, nor of an attempt that was cut short, is left."""
    for name in ("db", "db.incoming", "db.outgoing"):
        (directory / name).mkdir()
        (directory / name / "CURRENT").write_text("old")
    install_checkpoint(checkpoint, directory)
    assert [path.name for path in directory.iterdir()] == ["db"]
    assert (directory / "db" / "CURRENT").read_text() == "new"


def test_a_checkpoint_that_goes_away_leaves_the_old_one(
    checkpoint: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pruned in the middle: the error says so, and the old database is untouched."""
    (directory / "db").mkdir()
    (directory / "db" / "CURRENT").write_text("old")

    def pruned(_source: Path, _target: Path) -> None:
        shutil.rmtree(checkpoint)
        raise FileNotFoundError(checkpoint)

    monkeypatch.setattr("os.link", pruned)
    with pytest.raises(FileNotFoundError):
        install_checkpoint(checkpoint, directory)
    assert (directory / "db" / "CURRENT").read_text() == "old"


def test_another_file_system(
    checkpoint: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be linked, tables are copied."""

    def refuse(_source: Path, _target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    install_checkpoint(checkpoint, directory)
    assert (directory / "db" / "000001.sst").read_text() == "table"


def test_no_room(checkpoint: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is said in plain words."""

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(StorageFullError):
        install_checkpoint(checkpoint, directory)
