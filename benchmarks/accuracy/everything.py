"""Every figure of accuracy and its cost: `python -m benchmarks.accuracy.everything --data DIR`.

Runs piece after piece and goes on where it was stopped; then it prints what there is as a table.
DIR holds a folder with an ``events.csv.gz`` for each data set.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BEAUTY: Final = "amazon-beauty-5core"
ML_1M: Final = "ml-1m-sasrec-order"
BASELINES: Final = ("popularity", "item-knn", "sasrec", "esasrec", "bert4rec", "mrgsrec")
SETTINGS: Final = {
    "leave-one-out": ("--protocol", "leave-one-out"),
    "shuffled-ties": ("--protocol", "leave-one-out", "--shuffle-ties"),
    "temporal": ("--protocol", "temporal", "--quantile", "0.9"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A command and what it leaves when it is done.

    Parameters
    ----------
    words
        After the Python interpreter.
    result
        A file.
    """

    words: tuple[str, ...]
    result: Path

    def run(self) -> None:
        """Run it, unless it was done."""
        if self.result.exists():
            return
        print(f"{self.result.parent.name}: {' '.join(self.words)}", file=sys.stderr)
        subprocess.run([sys.executable, *self.words], check=True, stdout=subprocess.DEVNULL)


def pieces(data: Path, out: Path, minutes: float) -> Iterator[Piece]:
    """Yield all pieces, quick ones first."""
    wanted = [
        (BEAUTY, "leave-one-out", minutes, ("1", "2", "3")),
        (BEAUTY, "shuffled-ties", minutes, ("1",)),
        (BEAUTY, "temporal", minutes, ("1",)),
        # Not temporal: these clicks have an order, but no times.
        (ML_1M, "leave-one-out", 2 * minutes, ("1",)),
    ]
    for baseline in BASELINES:
        for name, setting, budget, seeds in wanted:
            folder = out / name / setting / baseline
            words = (
                *("-m", "benchmarks.accuracy", baseline, str(events(data, name))),
                *(*SETTINGS[setting], "--seed", *seeds, "--out", str(folder)),
                *("--budget-minutes", str(budget)),
            )
            yield Piece(words, folder / "metrics.json")
    result = out / "retrieval_speed.json"
    yield Piece(("-m", "benchmarks.accuracy.retrieval_speed", "--out", str(result)), result)


def events(data: Path, name: str) -> Path:
    """Return the event file of a data set."""
    return data / name / "events.csv.gz"


def table(out: Path) -> str:
    """Return the accuracy of what is done as lines for a person."""
    lines = [f"{'HR@10 / NDCG@10':<58}{'validation':>16}{'test':>16}  seeds  minutes"]
    for path in sorted(out.glob("*/*/*/metrics.json")):
        found = json.loads(path.read_text())
        cells = [
            "/".join(f"{found[part][name]:.4f}".lstrip("0") for name in ("hr@10", "ndcg@10"))
            for part in ("valid", "test")
        ]
        name = str(path.parent.relative_to(out))
        minutes = found["cost"]["seconds_per_seed"] / 60
        lines.append(
            f"{name:<58}{cells[0]:>16}{cells[1]:>16}  {len(found['seeds']):>5}  {minutes:7.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Run what is missing; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("run/accuracy"))
    parser.add_argument("--budget-minutes", type=float, default=45.0, help="of a trial on Beauty")
    arguments = parser.parse_args()
    for piece in pieces(arguments.data, arguments.out, arguments.budget_minutes):
        piece.run()
    print(table(arguments.out))


if __name__ == "__main__":
    main()
