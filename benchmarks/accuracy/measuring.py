"""Memory, threads and steps of a process that is measured. Imports the standard library only."""

import ctypes
import json
import os
import subprocess
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")

SETTINGS_NAME: Final = "settings.json"
"""File that tells RecTools, and our process beside it, in which size to learn."""


class PeakMemory:
    """How much more memory was in use at most inside a `with` than before it (Linux, glibc)."""

    def __init__(self) -> None:
        self.extra = 0
        self._before = 0

    def __enter__(self) -> Self:
        # What was freed before would hide as much of what is asked for now.
        ctypes.CDLL(None).malloc_trim(0)
        _RESET.write_text("5")  # the highest mark starts anew
        self._before = resident_bytes()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.extra = max(0, peak_resident_bytes() - self._before)


class StepClock:
    """Notes when each step of learning ends, and says when there were enough: a `stop`.

    Parameters
    ----------
    steps
        Enough.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._ends: list[float] = []

    def __call__(self) -> bool:
        """Note a step; return whether there were enough."""
        self._ends.append(time.perf_counter())
        return self.enough

    @property
    def enough(self) -> bool:
        """Whether there were enough."""
        return len(self._ends) >= self._steps

    @property
    def seconds(self) -> list[float]:
        """Of every step but the first, whose beginning nobody saw."""
        return [end - before for before, end in pairwise(self._ends)]


def threads() -> str:
    """Return how many threads arithmetic may use."""
    return os.environ.get("OMP_NUM_THREADS", f"all {os.cpu_count()} cores")


def answer_of(command: Sequence[str], threads: int) -> dict[str, Any]:
    """Run a process that has so many threads for its arithmetic; return what it answers."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return read_answer(done.stdout)


def read_answer(said: bytes) -> dict[str, Any]:
    """Return the JSON object on the last line of what a process said."""
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def resident_bytes() -> int:
    """Return the memory that this process has in use now (Linux)."""
    return _status("VmRSS")


def peak_resident_bytes() -> int:
    """Return the memory that this process has had in use at most (Linux).

    What `getrusage` tells is that of the process that started this one, where that is more.
    """
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} does not tell {name}")
