"""Long commands end at once while there is nothing yet that is worth keeping."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WHILE_COMPILING = """
import sys, time

def compile(*_given, **_named):
    print("compiling", flush=True)
    while True:
        time.sleep(0.01)

{patch} = compile
sys.argv[:] = ["gsr", *{arguments!r}]
from consumers.cli import main
main()
"""
"""The command, with a first cycle in which a compiler works and works."""

ENDS_SECONDS = 20
"""It takes one or two where nobody else wants the processor: the interpreter tidies itself up."""

REPLAY = "import consumers.offline.replay.run as run\nrun.Replay._take"
BOOTSTRAP = "import consumers.offline.bootstrap.run as run\nrun.Bootstrap._store"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("patch", "arguments"),
    [
        (REPLAY, ["replay", "c.csv", "--out", "report", "--baselines", "none"]),
        (BOOTSTRAP, ["bootstrap", "c.csv"]),
    ],
    ids=["replay", "bootstrap"],
)
def test_the_first_cycle_holds_no_signal_up(
    tmp_path: Path, patch: str, arguments: list[str], number: signal.Signals, code: int
) -> None:
    """Kernels compile in it for minutes: the process ends, in order, and leaves no result."""
    (tmp_path / "c.csv").write_text("user_id,item_id,timestamp\nann,tea,100\nbob,jam,101\n")
    process = subprocess.Popen(
        [sys.executable, "-c", WHILE_COMPILING.format(patch=patch, arguments=arguments)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "compiling\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=ENDS_SECONDS)
    finally:
        process.kill()
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert "--resume" not in said
    report = tmp_path / "report"
    assert not report.exists() or not any(report.iterdir())
