"""Evaluate a baseline as `gsr evaluate` does our model: `python -m benchmarks.accuracy --help`.

Settings are chosen on validation with the first seed, the other seeds use what it chose, and only
that is tested. The same command goes on where it was stopped. It leaves `metrics.json` and
`cases.parquet` in `--out`, for `gsr compare`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy.baseline_process import Stopwatch
from benchmarks.accuracy.baseline_trials import OtherTrialError, Result, TrialFailedError, Trials
from benchmarks.accuracy.contenders import CONTENDERS
from consumers.config.settings import GsrConfig
from consumers.offline.evaluation.event_data import EventData, read_event_data
from consumers.offline.evaluation.result import METRICS_NAME, Evaluation, SeedCost, SeedRun, Ties
from gsr.errors import ModelError
from gsr.quality.protocols import LEAVE_ONE_OUT, TEMPORAL, Split
from stream.errors import StreamError
from stream.events.files.reading import EventFile

SEEDS: Final = (1, 2, 3)


def main() -> None:
    """Read the arguments, evaluate, print what was found."""
    arguments = parsed()
    try:
        print(json.dumps(evaluate(arguments), indent=2))
    except (TrialFailedError, OtherTrialError, ModelError, StreamError) as error:
        sys.exit(str(error))


def parsed() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=tuple(CONTENDERS))
    parser.add_argument("events", type=Path)
    parser.add_argument("--protocol", choices=(LEAVE_ONE_OUT, TEMPORAL), default=LEAVE_ONE_OUT)
    parser.add_argument("--quantile", type=float, default=0.9, help="of the temporal cut")
    parser.add_argument(
        "--no-refit", dest="refit", action="store_false", help="test what validation selected"
    )
    parser.add_argument("--shuffle-ties", action="store_true", help="by seed, not as in the file")
    parser.add_argument("--keep-seen", action="store_true", help="rank what was clicked, too")
    parser.add_argument("--seed", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--budget-minutes", type=float, default=60.0, help="of learning, for each trial"
    )
    parser.add_argument(
        "--set",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting that is not to be chosen; the value as JSON",
    )
    return parser.parse_args()


def setting(text: str) -> tuple[str, Any]:
    """Return the name and the value of a setting.

    >>> setting("dropout_rate=0.3"), setting("loss=softmax")
    (('dropout_rate', 0.3), ('loss', 'softmax'))
    """
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run what is missing; return what `metrics.json` says."""
    with Stopwatch() as watch:
        rules = GsrConfig().events.rules()
        data = read_event_data(EventFile(arguments.events, rules=rules), rules)
        claim(arguments, data)
        ties: Ties = "shuffled" if arguments.shuffle_ties else "file"
        first, *others = arguments.seed
        if not (CONTENDERS[arguments.name].random or arguments.shuffle_ties):
            others = []
        started = trials(arguments, data, first)
        chosen = started.choose(first, started.candidates(dict(arguments.set)))
        runs = [tested(trials(arguments, data, first), chosen)]
        for seed in others:
            later = trials(arguments, data, seed)
            runs.append(tested(later, later.choose(seed, [chosen.settings])))
    evaluation = Evaluation(
        data=data,
        mask_seen=not arguments.keep_seen,
        ties=ties,
        runs=runs,
        seconds=watch.seconds,
        peak_memory_bytes=max(int(run.facts["report"]["peak_memory_bytes"]) for run in runs),
        settings={"baseline": arguments.name, **chosen.settings},
    )
    return evaluation.write(arguments.out)


def claim(arguments: argparse.Namespace, data: EventData) -> None:
    """Make the folder ours, or find that it is.

    Raises
    ------
    OtherTrialError
        It holds something else.
    """
    names = ("name", "protocol", "quantile", "refit", "shuffle_ties", "keep_seen")
    head = {name: getattr(arguments, name) for name in names} | {"data": data.sha256}
    path = arguments.out / "claim.json"
    if path.exists() and json.loads(path.read_text()) != head:
        raise OtherTrialError(f"{arguments.out} holds something else: name another --out")
    arguments.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(head, indent=2) + "\n")
    (arguments.out / METRICS_NAME).unlink(missing_ok=True)


def trials(arguments: argparse.Namespace, data: EventData, seed: int) -> Trials:
    """Return what runs the trials of a seed."""
    return Trials(
        arguments.out / f"seed-{seed}",
        split_of(arguments, data, seed),
        CONTENDERS[arguments.name],
        arguments.budget_minutes,
        mask_seen=not arguments.keep_seen,
    )


def split_of(arguments: argparse.Namespace, data: EventData, seed: int) -> Split:
    """Return who may see what under a seed."""
    if arguments.shuffle_ties:
        data = data.shuffled_ties(seed)
    return data.split(arguments.protocol, quantile=arguments.quantile, refit=arguments.refit)


def tested(trials: Trials, result: Result) -> SeedRun:
    """Return what a seed found: the only place where test targets are looked at."""
    report = result.report
    return SeedRun(
        seed=result.seed,
        split=trials.split,
        ranks={("valid", "frozen"): result.valid_ranks, ("test", "frozen"): trials.test(result)},
        cost=SeedCost(
            seconds=report["seconds"],
            cpu_seconds=report["cpu_seconds"],
            epochs=float(report.get("best_epoch", 1)),
        ),
        facts={"settings": dict(result.settings), "report": dict(report)},
    )


if __name__ == "__main__":
    main()
