"""How fast our model learns beside a SASRec of the same size.

    python -m benchmarks.accuracy.training_speed --data DIR

Ours and RecTools' learn the clicks of leave-one-out with the settings of the baseline `sasrec`:
dimension, blocks, heads, length of histories, dropout, a softmax over as many drawn items, and
about as many positions a step. Counted are positions that have a loss, in as many steps after the
first ones, batches included; each in a process of its own, in turn, with as many threads.

The same size is not the same work. RecTools draws items for every position and computes on padding.
Ours draws for the whole step, adds its targets, has a wider feed-forward layer, reads the pauses
between clicks, and keeps an average of all weights.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.accuracy.baseline_process import Stopwatch
from benchmarks.accuracy.baseline_trials import learned
from benchmarks.accuracy.contenders import RECTOOLS, Statistics, sasrec
from benchmarks.accuracy.exchange import write_json
from benchmarks.accuracy.experiments import DATA, events
from benchmarks.accuracy.measuring import SETTINGS_NAME, StepClock, answer_of
from consumers.config.settings import GsrConfig
from consumers.offline.evaluation.event_data import read_event_data
from gsr.config import BatchConfig
from gsr.learning.batch_defaults import batch_model
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.quality.protocols import Split, leave_one_out
from stream.events.files.reading import EventFile


def split_of(path: Path) -> Split:
    """Return the clicks of an event file, and which of them are learned."""
    rules = GsrConfig().events.rules()
    data = read_event_data(EventFile(path, rules=rules), rules)
    return leave_one_out(data.interactions, data.eligible)


def prepare(split: Split, folder: Path) -> None:
    """Write what RecTools learns, and its settings."""
    learned(split.interactions, split.valid).save(folder, "learned")
    lengths = split.valid.learned_ends - split.interactions.starts[:-1]
    settings, *_ = sasrec(Statistics(lengths, split.interactions.item_count))
    write_json(folder / SETTINGS_NAME, settings)


def learner(split: Split, theirs: Mapping[str, Any]) -> BatchLearner:
    """Return our learner in the size of RecTools' settings."""
    interactions, ends = split.interactions, split.valid.learned_ends
    shape = replace(
        batch_model(interactions, ends),
        dimension=theirs["n_factors"],
        ensemble=1,
        blocks=theirs["n_blocks"],
        heads=theirs["n_heads"],
        history_length=theirs["session_max_len"],
        dropout=theirs["dropout_rate"],
    )
    positions = theirs["batch_size"] * positions_per_user(split, theirs["session_max_len"])
    config = BatchConfig(
        sampled_items=round(positions) + theirs["n_negatives"],
        batch_positions=round(positions),
    )
    return BatchLearner(JointModel(shape), config, interactions, ends)


def positions_per_user(split: Split, length: int) -> float:
    """Return how many positions a user has who can be learned from, on average."""
    lengths = split.valid.learned_ends - split.interactions.starts[:-1]
    return float(np.minimum(lengths[lengths > 1] - 1, length).mean())


def measure(learner: BatchLearner, warm_up: int, steps: int) -> dict[str, Any]:
    """Time our learner in this process."""
    learner.learn_once(stop=StepClock(warm_up))
    with Stopwatch() as watch:
        passed = learner.learn_once(stop=StepClock(steps))
    return {
        "positions_per_second": passed.positions / watch.seconds,
        "positions_per_step": passed.positions / passed.steps,
        "steps": passed.steps,
        "threads": torch.get_num_threads(),
    }


def commands(arguments: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """Return how each contender is started."""
    pace = ["--warm-up", str(arguments.warm_up), "--steps", str(arguments.steps)]
    own = ["--data", str(arguments.data), "--set", arguments.set, "--child", str(folder)]
    module = "benchmarks.accuracy.rectools.training_speed"
    return {
        "ours": [sys.executable, "-m", __spec__.name, *own, *pace],
        "rectools": [str(RECTOOLS), "-m", module, str(folder), *pace],
    }


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure both in turn."""
    answers: dict[str, list[dict[str, Any]]] = {"ours": [], "rectools": []}
    with tempfile.TemporaryDirectory(prefix="gsr-bench-") as name:
        folder = Path(name)
        prepare(split_of(events(arguments.data, arguments.set)), folder)
        settings = json.loads((folder / SETTINGS_NAME).read_text())
        for _ in range(arguments.runs):
            for contender, command in commands(arguments, folder).items():
                answers[contender].append(answer_of(command, arguments.threads))
                print(f"{contender}: {json.dumps(answers[contender][-1])}", file=sys.stderr)
    return {"data": DATA[arguments.set], "settings": settings, **ratio(answers)}


def ratio(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return medians, and how many times as fast we are.

    >>> one = {"positions_per_step": 500.0, "threads": 2}
    >>> ours = [{"positions_per_second": speed, **one} for speed in (30.0, 10.0, 20.0)]
    >>> ratio({"ours": ours, "rectools": [{"positions_per_second": 8.0, **one}]})["ratio"]
    2.5
    """
    speeds = {name: [one["positions_per_second"] for one in each] for name, each in answers.items()}
    return {
        **{
            name: {
                "positions_per_second": round(median(each)),
                "runs": [round(one) for one in each],
                "positions_per_step": round(median(o["positions_per_step"] for o in answers[name])),
                "threads": answers[name][0]["threads"],
            }
            for name, each in speeds.items()
        },
        "ratio": round(median(speeds["ours"]) / median(speeds["rectools"]), 2),
    }


def table(found: Mapping[str, Any]) -> str:
    """Return both speeds as lines for a person."""
    lines = [f"{'positions':<12}{'a second':>12}{'a step':>12}"]
    lines += [
        f"{name:<12}{found[name]['positions_per_second']:>12,}"
        f"{found[name]['positions_per_step']:>12,}"
        for name in ("ours", "rectools")
    ]
    return "\n".join([*lines, f"ours / rectools: {found['ratio']}"])


def main() -> None:
    """Read the arguments; measure, or be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--set", choices=tuple(DATA), default="beauty")
    parser.add_argument("--warm-up", type=int, default=5, help="steps that do not count")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="write the results here, too")
    parser.add_argument("--child", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        theirs = json.loads((arguments.child / SETTINGS_NAME).read_text())
        ours = learner(split_of(events(arguments.data, arguments.set)), theirs)
        print(json.dumps(measure(ours, arguments.warm_up, arguments.steps)))
        return
    if not RECTOOLS.exists():
        sys.exit("RecTools is not installed: run python -m benchmarks.accuracy.install")
    found = compare(arguments)
    print(table(found))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_json(arguments.out, found)


if __name__ == "__main__":
    main()
