"""One owner per state directory."""

import os
from pathlib import Path

import pytest

from stream.errors import StateLockedError
from stream.state.directory_lock import DirectoryLock


def test_a_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    """Whoever comes second is told which process to stop."""
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StateLockedError, match=f"in use by process {os.getpid()}: stop it first"):
        DirectoryLock(tmp_path)
    lock.release()


def test_a_released_lock_is_free(tmp_path: Path) -> None:
    """Releasing twice is fine, and takes nothing from the next owner."""
    lock = DirectoryLock(tmp_path)
    lock.release()
    following = DirectoryLock(tmp_path)
    lock.release()
    with pytest.raises(StateLockedError):
        DirectoryLock(tmp_path)
    following.release()


def test_an_owner_whose_name_is_not_there_is_unknown(tmp_path: Path) -> None:
    """The file beside the lock is for people; the lock holds without it."""
    lock = DirectoryLock(tmp_path)
    (tmp_path / "owner").unlink()
    with pytest.raises(StateLockedError, match="process unknown"):
        DirectoryLock(tmp_path)
    lock.release()
