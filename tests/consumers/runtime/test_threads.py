"""Numerical libraries take as many threads as the environment says, else the settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consumers.runtime import threads
from tests.consumers.command_line import gsr

PROGRAM = """
import numpy
from threadpoolctl import threadpool_info, threadpool_limits
threadpool_limits(2)
from consumers.runtime.threads import limit_threads
limit_threads(1)
import os, torch
found = {library["num_threads"] for library in threadpool_info()}
print(*found, torch.get_num_threads(), os.environ["OMP_NUM_THREADS"])
"""


def counts(**environment: str) -> str:
    """Return how many threads libraries have in a new process, and what its children are told."""
    kept = {name: value for name, value in os.environ.items() if name != threads.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("environment", [{}, {"OMP_NUM_THREADS": ""}])
def test_libraries_are_limited_whether_loaded_before_or_after(environment: dict[str, str]) -> None:
    """Reading the settings loads numpy, which looks at the environment only then."""
    assert counts(**environment) == "1 1 1"


def test_the_environment_decides() -> None:
    """Whoever sets the variable gets what it says."""
    assert counts(OMP_NUM_THREADS="2") == "2 2 2"


STEPPING_BACK = """
import os
from consumers.runtime.threads import step_back
if {idle}:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
step_back(3)
print(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="policies of scheduling are Linux's")
@pytest.mark.parametrize("idle", [False, True])
def test_a_process_steps_back_but_not_forward(idle: bool) -> None:
    """Whoever starts it with the policy that stands back furthest is not overruled."""
    program = [sys.executable, "-c", STEPPING_BACK.format(idle=idle)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    policy, niceness = map(int, done.stdout.split())
    assert policy == (os.SCHED_IDLE if idle else os.SCHED_BATCH)
    assert niceness == os.getpriority(os.PRIO_PROCESS, 0) + 3


class _AskedError(Exception):
    """Ends a command where it limits its threads."""


@pytest.mark.parametrize(
    ("command", "section"),
    [
        ("train", "trainer"),
        ("publish", "publisher"),
        ("bootstrap c.csv", "trainer"),
        ("replay c.csv --out r", "trainer"),
        ("replay c.csv --out r --protocol windows", "trainer"),
    ],
)
def test_commands_follow_their_setting(
    command: str, section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that learn or rank, before they begin."""

    def ask(count: int) -> None:
        raise _AskedError(count)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(threads, "limit_threads", ask)
    Path("c.csv").write_text("user_id,item_id,timestamp\nu,i,1370476800\n")
    found = gsr(*command.split(), "--set", f"{section}.threads=3").exception
    assert isinstance(found, _AskedError)
    assert found.args == (3,)
