"""Comparison of the whole model with every ablation: what each part is worth.

    python -m benchmarks.accuracy.ablations FOLDER --whole NAME --out FILE

FOLDER holds a folder of `gsr evaluate` for each; FILE takes, for every ablation, by how much the
whole model's test is better, and whether by luck (`gsr compare`).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.accuracy.better_view import compare
from benchmarks.accuracy.exchange import write_json
from consumers.offline.evaluation.result import METRICS_NAME


def gains(folder: Path, whole: str) -> dict[str, Any]:
    """Return name -> what `gsr compare` says of the ablation (a) and the whole model (b)."""
    return {
        path.parent.name: compare(path.parent, folder / whole)
        for path in sorted(folder.glob(f"*/{METRICS_NAME}"))
        if path.parent.name != whole
    }


def main() -> None:
    """Read the arguments, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whole", required=True, help="name of the whole model's folder")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if not (arguments.folder / arguments.whole / METRICS_NAME).exists():
        sys.exit(f"{arguments.folder / arguments.whole} is not there: evaluate it first")
    write_json(arguments.out, gains(arguments.folder, arguments.whole))


if __name__ == "__main__":
    main()
