"""Install the baselines' libraries, in this folder: `python -m benchmarks.accuracy.install`."""

import subprocess
import sys
from pathlib import Path

from benchmarks.accuracy.contenders import IMPLICIT, RECTOOLS


def install(python: Path) -> None:
    """Make a virtual environment with a library, which wants versions of its own."""
    environment = python.parent.parent
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--requirement", str(environment.parent / "requirements.txt")], check=True
    )


if __name__ == "__main__":
    install(IMPLICIT)
    install(RECTOOLS)
    print("implicit and RecTools are ready.")
