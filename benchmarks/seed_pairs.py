"""How often two seeds of one configuration seem to differ, as a small JSON document.

    python -m benchmarks.seed_pairs EVENTS --seeds 8 --out docs/results/seed-pairs.json
    python -m benchmarks.seed_pairs EVENTS --report DIR --out …   # of a replay that was run before

Runs one `gsr replay EVENTS` in which every seed is a configuration of `--compare`, and compares
each pair as `gsr compare` does. No seed is better than another, so an honest 95 % interval holds
zero in about nineteen pairs of twenty. Pairs share seeds: how many do varies more than for coins.
"""

import argparse
import itertools
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.replays import rounded
from benchmarks.reports import machine, report
from consumers.offline.evaluation.replay_comparison import compare_replays
from consumers.offline.replay.analysis import COMPARED, is_joint
from consumers.offline.replay.case_columns import models_in, open_replay_cases
from consumers.runtime.supervisor import gsr_command

SAMPLES: Final = 2000
KINDS: Final = ("users", "windows")


def main() -> None:
    """Replay, or take an earlier replay, and write how many intervals hold zero."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--limit", type=int, help="only the first so many clicks")
    parser.add_argument("--report", type=Path, help="folder that an earlier replay has written")
    parser.add_argument("--out", type=Path, required=True, help="where the summary goes")
    arguments = parser.parse_args()
    with replayed(arguments) as folder:
        pairs = compared_pairs(folder)
    data = arguments.events.resolve().parent.name
    about = {"data": data, "limit": arguments.limit, "machine": machine()}
    summary = {**about, **counted(pairs), "pairs": pairs}
    report(rounded(summary), arguments.out)


@contextmanager
def replayed(arguments: argparse.Namespace) -> Iterator[Path]:
    """Yield the folder of a replay with so many seeds, or of an earlier one."""
    if arguments.report is not None:
        yield arguments.report
        return
    with tempfile.TemporaryDirectory(prefix="gsr-bench-") as temporary:
        out = Path(temporary)
        command = gsr_command("replay", str(arguments.events), "--out", str(out / "report"))
        command += ["--baselines", "none", "--recommendations", "none"]
        if arguments.limit is not None:
            command += ["--limit", str(arguments.limit)]
        for seed in range(1, arguments.seeds):
            file = out / f"seed{seed}.toml"
            file.write_text(f"[learner]\nseed = {seed}\n")
            command += ["--compare", str(file)]
        subprocess.run(command, check=True)
        yield out / "report"


def compared_pairs(folder: Path) -> list[dict[str, Any]]:
    """Return every pair of configurations with the intervals of their differences."""
    with open_replay_cases(folder) as file:
        names = [name for name in models_in(file.schema_arrow) if is_joint(name)]
    return [
        {
            "models": [first, second],
            **compare_replays(
                folder,
                folder,
                model=second,
                against=first,
                metrics=COMPARED,
                samples=SAMPLES,
                seed=0,
            )["metrics"],
        }
        for first, second in itertools.combinations(names, 2)
    ]


def counted(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return, per metric and kind of interval, how many pairs have one, and how many miss zero.

    >>> interval = {"low": 0.1, "high": 0.2}
    >>> pair = {name: {"users": interval, "windows": None} for name in COMPARED}
    >>> counted([pair])["without_zero"]["hr@20"]
    {'users': {'pairs': 1, 'without_zero': 1}, 'windows': {'pairs': 0, 'without_zero': 0}}
    """
    found: dict[str, Any] = {}
    for metric, kind in itertools.product(COMPARED, KINDS):
        intervals = [pair[metric][kind] for pair in pairs if pair[metric][kind] is not None]
        missing = sum(not one["low"] <= 0.0 <= one["high"] for one in intervals)
        found.setdefault(metric, {})[kind] = {"pairs": len(intervals), "without_zero": missing}
    return {"without_zero": found}


if __name__ == "__main__":
    main()
