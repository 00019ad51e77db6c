"""Whether the joint model beats the better of its views, or was lucky.

    python -m benchmarks.accuracy.better_view JOINT VIEW VIEW --out FILE

Each is a folder that `gsr evaluate` wrote. Validation tells which view is better; FILE takes what
`gsr compare` says of the two tests.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy.baseline_trials import CHOSEN_BY
from benchmarks.accuracy.exchange import write_json
from consumers.offline.evaluation.result import METRICS_NAME
from consumers.runtime.supervisor import gsr_command

METRICS: Final = ("hr@10", "ndcg@10")


def better(views: Sequence[Path]) -> Path:
    """Return the view with the best validation.

    Raises
    ------
    FileNotFoundError
        One was not evaluated.
    """
    return max(views, key=lambda view: float(_metrics(view)["valid"][CHOSEN_BY]))


def compare(view: Path, joint: Path) -> dict[str, Any]:
    """Return what `gsr compare` says of two folders, the second being the one to be better."""
    wanted = [word for name in METRICS for word in ("--metric", name)]
    command = gsr_command("compare", str(view), str(joint), *wanted, "--json")
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _metrics(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / METRICS_NAME).read_text())
    return found


def main() -> None:
    """Read the arguments, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("joint", type=Path)
    parser.add_argument("views", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        found = compare(better(arguments.views), arguments.joint)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is not there: evaluate it first")
    print(json.dumps(found, indent=2))
    write_json(arguments.out, found)


if __name__ == "__main__":
    main()
