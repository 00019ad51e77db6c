"""Every figure of accuracy and its cost: `python -m benchmarks.accuracy.everything --data DIR`.

Runs piece after piece and goes on where it was stopped; then it prints what there is as a table.
DIR holds a folder with an ``events.csv.gz`` for each data set.

    … --list                                  # names of all pieces, and which are done
    … --only 'ours/beauty/*'                  # run those only
    … --list --summary accuracy.json          # run nothing; keep what was found
"""

import argparse
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.accuracy.pieces import Piece, pieces
from benchmarks.accuracy.summary import summary, table
from consumers.runtime.documents import write_document


def main() -> None:
    """Run what is missing; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("run/accuracy"))
    parser.add_argument(
        "--budget-minutes", type=float, default=45.0, help="of a baseline's trial on Beauty"
    )
    parser.add_argument("--only", metavar="PATTERN", default="*", help="names of pieces, with *")
    parser.add_argument("--list", action="store_true", help="list the pieces instead of running")
    parser.add_argument("--summary", metavar="FILE", type=Path, help="write all figures as JSON")
    arguments = parser.parse_args()
    every = pieces(arguments.data, arguments.out, arguments.budget_minutes)
    chosen = [piece for piece in every if fnmatchcase(piece.name, arguments.only)]
    if not chosen:
        parser.error(f"no piece is called {arguments.only}: see --list")
    for piece in chosen:
        if arguments.list:
            print(f"{'done' if piece.done else '':<6}{piece.name}")
        else:
            _run(piece)
    if not arguments.list:
        print(table(arguments.out))
    if arguments.summary:
        arguments.summary.parent.mkdir(parents=True, exist_ok=True)
        write_document(summary(arguments.out), arguments.summary)


def _run(piece: Piece) -> None:
    """Run it; where it fails, leave in its own words, which are on the screen."""
    try:
        piece.run()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{piece.name} failed with exit code {error.returncode}; what is done stays done")


if __name__ == "__main__":
    main()
