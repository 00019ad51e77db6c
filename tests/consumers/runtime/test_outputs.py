"""Results are whole or not there, and what is in the way is named early."""

import errno
from pathlib import Path

import pytest

from consumers.runtime.outputs import check_output, output_errors, written_aside
from stream.errors import StorageFullError


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_there_after_the_block(tmp_path: Path) -> None:
    """Its folder is made, and nothing stands beside it."""
    path = tmp_path / "new" / "result.json"
    with written_aside(path) as aside:
        aside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [full(), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    """The file of before is still there."""
    path = tmp_path / "result.json"
    path.write_text("before")

    def write() -> None:
        with written_aside(path) as aside:
            aside.write_text("half")
            raise error

    with pytest.raises((StorageFullError, KeyboardInterrupt)):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (full(), "no space left in out: free space"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "no space left in out"),
        (OSError(errno.EROFS, "Read-only file system"), "out cannot be written .Read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "out/x"), "correct the path"),
    ],
)
def test_what_the_system_says_is_put_into_words(error: OSError, words: str) -> None:
    """The directory, what is wrong with it, what to do."""
    with pytest.raises(StorageFullError, match=words), output_errors(Path("out")):
        raise error


def test_a_place_for_results_is_checked_without_making_it(tmp_path: Path) -> None:
    """A folder that is not there yet is as good as the one it will stand in."""
    check_output(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_a_place_that_takes_no_files_is_refused(tmp_path: Path, place: str) -> None:
    """Before hours of work, and in the same words where it turns out behind them."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFullError, match="cannot be written"):
        check_output(tmp_path / place)
    with (
        pytest.raises(StorageFullError, match="cannot be written"),
        written_aside(tmp_path / place / "result") as aside,
    ):
        aside.write_text("")
