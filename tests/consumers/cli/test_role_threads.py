"""A role's settings limit the threads of the numerical libraries, wherever they came in."""

import os
import subprocess
import sys

PROGRAM = """
import numpy
from threadpoolctl import threadpool_info, threadpool_limits
threadpool_limits(2)
from consumers.cli.roles import _limit_threads
_limit_threads(1)
print(*{library["num_threads"] for library in threadpool_info()})
"""


def threads(**environment: str) -> str:
    """Return how many threads the libraries of a new process have."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_libraries_that_were_loaded_before_are_limited() -> None:
    """Reading the settings loads numpy, which looks at the environment only then."""
    assert threads() == "1"


def test_the_environment_decides() -> None:
    """Whoever sets the variable gets what it says."""
    assert threads(OMP_NUM_THREADS="2") == "2"
