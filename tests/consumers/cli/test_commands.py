"""The `gsr` command as a new user meets it, wrong input included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consumers.cli.commands import command, group
from consumers.config.settings import GsrConfig
from gsr.compiling import COMPILING, tell_compiling
from stream.clock import SystemClock
from stream.log.opening import open_log
from tests.consumers.command_line import gsr

CLICKS = "user_id,item_id,timestamp\nann,tea,100\nbob,jam,101\nann,jam,102\n"


def test_the_command_alone_shows_help() -> None:
    """Nothing given: the overview, and the code of wrong usage."""
    result = gsr()
    assert result.exit_code == 2
    assert "gsr run --demo" in result.output


def test_the_version_is_shown() -> None:
    """--version, on standard output."""
    result = gsr("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("gsr ")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["prodce"], 2, "Did you mean 'produce'?"),
        (["simulate", "--sede", "1"], 2, "--seed"),
        (["produce"], 2, "Missing argument 'EVENTS'"),
        (["produce", "nope.csv"], 10, "nope.csv"),
        (["produce", "c.csv", "--column", "user"], 2, "ROLE=NAME"),
        (["produce", "c.csv", "--column", "usr=x"], 2, "ROLE is one of user, item"),
        (["produce", "c.csv", "--column", "user=visitor"], 10, "visitor"),
        (["produce", "c.csv", "--log", "carrier:pigeon"], 6, "embedded:DIR"),
        (["produce", "c.csv", "--rate", "0"], 2, "--rate"),
        (["simulate", "--rate", "3"], 2, "need --log"),
        (["simulate", "--items", "0", "--events", "1"], 2, "'--items'"),
        (["simulate", "--users", "20000000"], 2, "'--users'"),
        (["simulate", "--new-items", "1e7"], 2, "'--new-items'"),
        (["simulate", "--drift-seconds", "0.5"], 2, "--drift-seconds"),
        (["simulate", "--rate", "1e10", "--restamp", "--log", "memory:"], 2, "--rate"),
        (["item", "tea", "--set", "state.half_lives_seconds=[0.5]"], 2, "one second or longer"),
        (["item", "tea", "--set", "state.neighbours=2"], 2, "half_lives_seconds must name"),
        (["run", "--events", "c.csv"], 2, "--demo"),
        (["run", "--set", "trainer.cycle_seconds"], 2, "section.key=VALUE"),
        (["ingest", "--set", "trainer.cycle_second=3"], 2, "did you mean trainer.cycle_seconds?"),
        (["ingest", "--config", "nope.toml"], 2, "nope.toml"),
        (["models", "show", "7"], 9, "no version 7"),
        (["models", "show", "0"], 2, "VERSION"),
        (["models", "rollback", "7", "--yes"], 9, "no version 7"),
        (["state", "check"], 9, "no state"),
        (["state", "restore"], 9, "no checkpoint of any partition"),
        (["user", "ann"], 6, "there is no log of gsr in embedded:run/log"),
        (["user", "ann", "--log", "embedded:typo"], 6, "embedded:typo"),
        (["user", ""], 2, "user is empty"),
        (["item", "x" * 300], 2, "256"),
        (["item", "tea"], 9, "no checkpoints in run/state/artifacts yet"),
        (["recommend", "ann"], 6, "--log"),
        (["dlq", "show"], 6, "there is no log"),
        (["dlq", "redrive", "--dry-run"], 6, "there is no log"),
        (["log", "topics"], 6, "gsr run and gsr ingest"),
        (["log", "retain", "--dry-run"], 6, "there is no log"),
        (["log", "clean"], 6, "there is no log"),
        (["items", "block", "tea"], 6, "there is no log"),
        (["items", "allow", "tea"], 6, "there is no log"),
        (["forget", "ann", "--yes"], 6, "there is no log"),
        (["replay", "embedded:typo", "--out", "out"], 9, "there is no topic clicks"),
        (["forget", "ann"], 2, "give --yes"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_wrong_input_is_answered_in_one_line(arguments: list[str], code: int, words: str) -> None:
    """No traceback; the exit code tells the kind; nothing on standard output."""
    Path("c.csv").write_text(CLICKS)
    result = gsr(*arguments)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert [path.name for path in Path().iterdir()] == ["c.csv"]  # and nothing was made


def test_who_looks_or_steers_makes_no_topic() -> None:
    """What is missing of a log is named; what feeds it makes topics, and says so."""
    log = open_log("embedded:run/log", SystemClock())
    log.create_topic(GsrConfig().log.topics()[0])
    log.close()
    there = {path.name for path in Path("run/log").iterdir()}
    for arguments in (["dlq", "show"], ["items", "block", "tea"], ["recommend", "ann"]):
        result = gsr(*arguments)
        assert result.exit_code == 6
        assert "there is no topic" in result.stderr
    shown = gsr("log", "topics")
    assert shown.exit_code == 0
    assert "not there: clicks.dlq" in shown.stderr
    assert gsr("log", "clean").exit_code == 0
    assert gsr("forget", "ann", "--yes").exit_code == 0
    assert {path.name for path in Path("run/log").glob("*.db")} == {"clicks.db"} <= there
    fed = gsr("simulate", "--log", "embedded:run/log", "--events", "5")
    assert "made the topics clicks.dlq, sequences" in fed.stderr


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ).stdout


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("consumers.cli", "torch river plotly pandas scipy.stats fsspec"),
        ("consumers.runtime.role_process", "torch river plotly pandas scipy.stats fsspec"),
        ("consumers.roles.ingest.role", "torch river plotly pandas scipy.stats fsspec"),
        ("consumers.roles.publisher.role", "torch river plotly pandas scipy.stats fsspec"),
        (
            "consumers.roles.trainer.role",
            "torch river plotly pandas scipy.stats",
        ),
    ],
)
def test_what_starts_a_role_imports_no_more_than_it_needs(module: str, heavy: str) -> None:
    """Memory and start-up time: learning libraries come when there is something to learn."""
    code = f"import sys, {module}; print(sorted(set(sys.modules) & set({heavy.split()})))"
    assert python(code).strip() == "[]"


def test_help_does_without_heavy_imports() -> None:
    """`gsr --help` answers at once."""
    heavy = "{'numpy', 'numba', 'pydantic', 'pyarrow', 'fsspec', 'prometheus_client'}"
    code = f"import sys, consumers.cli; print(sorted(set(sys.modules) & {heavy}))"
    assert python(code).strip() == "[]"


def test_a_reader_that_leaves_is_no_error() -> None:
    """`gsr simulate | head -1` ends quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "consumers.cli", "simulate", "--events", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.wait() == 141


@pytest.mark.parametrize("arguments", [["simulate", "--events", "3000"], ["--help"]], ids=" ".join)
def test_output_that_takes_no_more_is_no_traceback(arguments: list[str]) -> None:
    """`gsr simulate > FILE` on a full disk says so, with the code of a full disk."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "consumers.cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            check=False,
        )
    assert process.returncode == 5
    expected = "error: standard output, which is cut off: No space left on device\n"
    assert process.stderr == expected


def test_a_command_says_once_that_kernels_compile() -> None:
    """On standard error, whichever command it is; otherwise it seems to hang."""
    app = group("Commands of this test.")

    def work() -> None:
        """Compile kernels."""
        tell_compiling(begins=True)
        tell_compiling(begins=True)

    command(app, "work", "gsr work")(work)
    assert CliRunner().invoke(app, []).stderr == f"{COMPILING}\n"
