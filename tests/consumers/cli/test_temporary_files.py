"""What commands leave behind among the temporary files: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
PLACES = ("--state", "state", "--log", "embedded:log")


@pytest.mark.slow
def test_learning_and_asking_leave_no_temporary_files(tmp_path: Path) -> None:
    """A model is learned from a file, and a list made with it."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def gsr(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "consumers.cli", *arguments],
            cwd=tmp_path,
            env={**ENVIRONMENT, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    clicks = gsr("simulate", "--events", "1500", "--format", "csv")
    (tmp_path / "clicks.csv").write_text(clicks)
    gsr("bootstrap", "clicks.csv", *PLACES)
    user = clicks.splitlines()[1].partition(",")[0]
    assert "score" in gsr("recommend", user, *PLACES)
    assert list(temporary.iterdir()) == []
