"""Every figure of accuracy and its cost: `python -m benchmarks.accuracy.everything --data DIR`.

Runs one experiment after another and goes on where it was stopped; then it prints a table of what
there is.
DIR holds a folder with an ``events.csv.gz`` for each data set.

    … --list                                  # names of all experiments, and which are done
    … --only 'ours/beauty/*'                  # run those only
    … --list --summary accuracy.json          # run nothing; keep what was found
"""

import argparse
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.accuracy.experiments import Experiment, experiments
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
    parser.add_argument("--only", metavar="PATTERN", default="*", help="names, with *")
    parser.add_argument("--list", action="store_true", help="list the names instead of running")
    parser.add_argument("--summary", metavar="FILE", type=Path, help="write all figures as JSON")
    arguments = parser.parse_args()
    every = experiments(arguments.data, arguments.out, arguments.budget_minutes)
    chosen = [experiment for experiment in every if fnmatchcase(experiment.name, arguments.only)]
    if not chosen:
        parser.error(f"no experiment is called {arguments.only}: see --list")
    for experiment in chosen:
        if arguments.list:
            print(f"{'done' if experiment.done else '':<6}{experiment.name}")
        else:
            _run(experiment)
    if not arguments.list:
        print(table(arguments.out))
    if arguments.summary:
        arguments.summary.parent.mkdir(parents=True, exist_ok=True)
        write_document(summary(arguments.out), arguments.summary)


def _run(experiment: Experiment) -> None:
    """Run it; where it fails, leave in its own words, which are on the screen."""
    try:
        experiment.run()
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"{experiment.name} failed with exit code {error.returncode}; what is done stays done"
        )


if __name__ == "__main__":
    main()
