"""What is live, the library and all that measures it run without torch; what needs it says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HIDE = """
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: (
    None if name.partition(".")[0] in {"torch", "torch_geometric"} else found(name, *rest)
)
"""
"""Neither is found any more, as where it is not installed."""


def without_torch(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HIDE + code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )


def gsr(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return without_torch("from consumers.cli import main; main()", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one with clicks.csv."""
    made = tmp_path_factory.mktemp("without_torch")
    run = gsr("simulate", "--events", "3000", "--format", "csv", cwd=made)
    assert run.returncode == 0, run.stderr
    (made / "clicks.csv").write_text(run.stdout)
    return made


@pytest.mark.parametrize("role", ["ingest", "trainer", "publisher", "serve"])
def test_roles_start_without_torch(role: str, folder: Path) -> None:
    """And all that they import."""
    run = without_torch(f"import consumers.roles.{role}.role, consumers.demo", cwd=folder)
    assert run.returncode == 0, run.stderr


def test_a_log_is_replayed_and_bootstrapped_without_torch(folder: Path) -> None:
    """The model of the stream is tested, learned and stored."""
    for command in (
        ("replay", "clicks.csv", "--out", "report", "--baselines", "all"),
        ("bootstrap", "clicks.csv", "--log", "embedded:log", "--state", "state"),
    ):
        run = gsr(*command, cwd=folder)
        assert run.returncode == 0, run.stderr


def test_the_library_learns_without_torch(folder: Path) -> None:
    """From frames to lists and reasons."""
    code = (
        "import gsr, pyarrow.csv as csv; clicks = csv.read_csv('clicks.csv'); "
        "one = gsr.StreamRecommender().fit(clicks.slice(0, 600)); "
        "print(one.explain(clicks['user_id'][0].as_py()).column_names)"
    )
    run = without_torch(code, cwd=folder)
    assert run.returncode == 0, run.stderr
    assert "reason" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("evaluate", "clicks.csv", "--out", "result"), "gsr evaluate"),
        (
            ("replay", "clicks.csv", "--out", "again", "--baselines", "retrained"),
            "the baseline retrained",
        ),
    ],
    ids=["evaluate", "retrained"],
)
def test_what_needs_torch_says_what_to_install(
    arguments: tuple[str, ...], what: str, folder: Path
) -> None:
    """In one line, before anything is read or written."""
    run = gsr(*arguments, cwd=folder)
    assert run.returncode == 13
    wanted = f"{what} needs torch, which is not installed: pip install 'gsr[evaluate]'\n"
    assert run.stderr.endswith(wanted)
    assert run.stderr.count("\n") == 1
    assert not (folder / arguments[3]).exists()


def test_help_needs_no_torch(folder: Path) -> None:
    """Not even that of the command that does."""
    for arguments in (("--help",), ("evaluate", "--help"), ("--version",)):
        run = gsr(*arguments, cwd=folder)
        assert run.returncode == 0, run.stderr
