"""What a step of learning costs as the catalogue grows: `python -m benchmarks.accuracy.step_time`.

The same users click as often, in histories of the same lengths; only how many items there are to
click on differs, and some are clicked far more often than others. Timed are the encoders' steps of
`gsr.learning.batch_learner.BatchLearner`, batches included, each catalogue in a process of
its own, in turn; the first steps do not count.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks.accuracy.exchange import write_json
from benchmarks.accuracy.measuring import StepClock, answer_of
from gsr.config import BatchConfig
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.learning.batch_defaults import batch_model
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel

CATALOGUES: Final = (10_000, 100_000, 1_000_000)
SHORTEST: Final = 3
LONGEST: Final = 50
MORE_CLICKS: Final = 7.0
"""Mean of what a history has beyond the shortest; few have many more, as in shops."""
YEAR: Final = 365 * 86_400.0
FLAT: Final = 0.2
"""How far the slowest may be above the fastest where the curve counts as flat."""


def clicks(items: int, users: int) -> Interactions:
    """Return clicks of users whose number and lengths do not depend on how many items there are.

    The chance to be clicked falls as 1 / rank; ranks are dealt out at random.
    """
    rng = np.random.default_rng(0)
    beyond = rng.geometric(1.0 / (1.0 + MORE_CLICKS), users) - 1
    lengths = np.minimum(SHORTEST + beyond, LONGEST)
    count = int(lengths.sum())
    ranks = np.floor(float(items) ** rng.random(count)).astype(np.int64) - 1
    return gather_interactions(
        np.repeat(np.arange(users), lengths),
        rng.permutation(items)[ranks.clip(max=items - 1)],
        rng.uniform(0.0, YEAR, count),
        np.zeros(count, np.uint8),
        user_count=users,
        item_count=items,
    )


def step_seconds(interactions: Interactions, warm_up: int, steps: int) -> list[float]:
    """Return the seconds of so many steps after the first ones."""
    ends = interactions.starts[1:]
    shape = replace(
        batch_model(interactions, ends),
        dimension=64,
        ensemble=1,
        dropout=0.5,
    )
    learner = BatchLearner(JointModel(shape), BatchConfig(), interactions, ends)
    # The first step's beginning is not seen.
    clock = StepClock(1 + warm_up + steps)
    while not clock.enough:
        learner.learn_once(stop=clock)
    return clock.seconds[warm_up:]


def measure(items: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time the steps on a catalogue in this process."""
    interactions = clicks(items, arguments.users)
    seconds = step_seconds(interactions, arguments.warm_up, arguments.steps)
    return {"seconds": median(seconds), "clicks": len(interactions)}


def curve(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time the steps on all catalogues in turn."""
    answers: dict[int, list[dict[str, Any]]] = {items: [] for items in arguments.catalogues}
    command = [sys.executable, "-m", __spec__.name]
    for option in ("users", "warm_up", "steps"):
        command += [f"--{option.replace('_', '-')}", str(getattr(arguments, option))]
    for _ in range(arguments.runs):
        for items, each in answers.items():
            each.append(answer_of([*command, "--child", str(items)], arguments.threads))
    seconds = {items: [one["seconds"] for one in each] for items, each in answers.items()}
    return {
        **judged(seconds),
        "clicks": next(iter(answers.values()))[0]["clicks"],
        "threads": arguments.threads,
    }


def judged(seconds: Mapping[int, Sequence[float]]) -> dict[str, Any]:
    """Return medians by catalogue, and whether they make a flat curve.

    >>> found = judged({10: [2.0, 1.0, 3.0], 100: [2.2, 9.0, 2.1]})
    >>> found["above_fastest"], found["flat"]
    (0.1, True)
    """
    medians = {items: median(runs) for items, runs in seconds.items()}
    above = max(medians.values()) / min(medians.values()) - 1.0
    return {
        "milliseconds_per_step": [
            {
                "items": items,
                "median": round(1e3 * medians[items], 2),
                "runs": [round(1e3 * one, 2) for one in runs],
            }
            for items, runs in seconds.items()
        ],
        "above_fastest": round(above, 3),
        "flat": above <= FLAT,
    }


def table(found: Mapping[str, Any]) -> str:
    """Return the curve as lines for a person."""
    lines = [f"{'items':>12}{'ms a step':>12}"]
    lines += [
        f"{one['items']:>12,}{one['median']:>12,.1f}" for one in found["milliseconds_per_step"]
    ]
    verdict = "flat" if found["flat"] else "not flat"
    above = f"the slowest is {found['above_fastest']:.0%} above the fastest"
    lines.append(f"{verdict} within {FLAT:.0%}: {above}")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments; measure, or be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogues", type=int, nargs="+", default=list(CATALOGUES))
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--warm-up", type=int, default=10, help="steps that do not count")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="write the results here, too")
    parser.add_argument("--child", metavar="ITEMS", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.child, arguments)))
        return
    found = curve(arguments)
    print(table(found))
    if arguments.out:
        settings = {name: getattr(arguments, name) for name in ("users", "warm_up", "steps")}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_json(arguments.out, {**settings, **found})


if __name__ == "__main__":
    main()
