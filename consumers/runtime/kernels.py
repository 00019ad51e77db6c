"""Compiling of the kernels that roles call, before they start and want them all at once."""

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from consumers.runtime.supervisor import gsr_command
from gsr.kernel_cache import SHIPPED_VARIABLE, cache_directory

_DONE: Final = "compiled-ahead"
_CLICKS: Final = "3000"


def compiled_ahead() -> bool:
    """Return whether this version's kernels were compiled ahead before."""
    return _mark().exists()


def compile_ahead(*, silent: bool = True) -> bool:
    """Compile what roles will call, by running it on a few clicks; False where a step failed.

    Where it failed nothing is lost: each role compiles what it needs when it first calls it. Unless
    `silent`, the steps say on standard error what they do.
    """
    with tempfile.TemporaryDirectory(prefix="gsr-kernels-") as folder:
        for command, output in _steps(Path(folder)):
            with output.open("wb") as written:
                done = subprocess.run(  # noqa: S603 - our own commands
                    command,
                    cwd=folder,
                    env=_environment(),
                    stdout=written,
                    stderr=subprocess.DEVNULL if silent else None,
                    check=False,
                )
            if done.returncode:
                return False
    _mark().touch()
    return True


def _steps(folder: Path) -> Iterator[tuple[Sequence[str], Path]]:
    """Yield commands, and where what they print goes."""
    places = ["--state", "state", "--log", "embedded:log"]
    clicks = folder / "clicks.csv"
    said = folder / "said.txt"
    yield gsr_command("simulate", "--events", _CLICKS, "--format", "csv"), clicks
    yield gsr_command("bootstrap", clicks.name, *places), said
    with clicks.open(encoding="utf-8", newline="") as rows:
        user = next(csv.DictReader(rows))["user_id"]
    yield gsr_command("recommend", user, *places), said
    # Without models the counters answer, as they do until there is a first one.
    shutil.rmtree(folder / "state" / "artifacts" / "snapshots")
    yield gsr_command("recommend", user, *places), said


def _environment() -> dict[str, str]:
    """Return the environment without settings, which are meant for a service and not for this."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == SHIPPED_VARIABLE or not name.startswith("GSR_")
    }


def _mark() -> Path:
    return Path(cache_directory()) / _DONE
