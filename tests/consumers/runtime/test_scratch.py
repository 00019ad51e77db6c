"""Folders for what is needed only while a command runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumers.runtime.scratch import scratch_directory


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_behind_the_block(temporary: Path) -> None:
    """Whether it ends well or not."""
    with scratch_directory() as folder:
        (folder / "file").write_text("x")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []
    with pytest.raises(ZeroDivisionError), scratch_directory() as folder:
        (folder / "file").write_text(str(1 // 0))
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(temporary: Path) -> None:
    """But never what a living one still uses, however old that is."""
    code = (
        "import os, signal\n"
        "from consumers.runtime.scratch import scratch_directory\n"
        "with scratch_directory() as folder:\n"
        "    print(folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    home = str(Path(__file__).parents[3])
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": home}
    killed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    with scratch_directory() as living:
        for folder in (left, living):
            os.utime(folder, (0, 0))
        with scratch_directory() as third:
            assert not left.exists()
            assert set(temporary.iterdir()) == {living, third}
