"""The table: what detectors and learner made of each scenario, over all seeds."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.drift.judging import (
    AlarmCounts,
    Loss,
    hit_rate,
    judge_alarms,
    judge_loss,
    per_million,
)
from benchmarks.drift.runs import WARM_UP, Run
from benchmarks.drift.scenarios import make_stream

TWIN: Final = "stationary"


def summarise(
    scenario: str, runs: Sequence[Run], twins: Sequence[Run], clicks: int
) -> dict[str, Any]:
    """Return a scenario's row.

    Parameters
    ----------
    scenario
        Its name.
    runs
        Of the scenario, the first one of seed 0, and so on.
    twins
        Of the unchanged streams, likewise.
    clicks
        Honest ones in a stream.

    Returns
    -------
    dict
        ``hr@20`` and the twin's (`twin_hr@20`) from the first change on (from the end of the
        warm-up where there is none), `ratio` of both, and `ratios` seed by seed; `delays`,
        `missed` and `repeats` of true changes' alarms; `false_alarms` among `quiet_clicks`, and
        per million; `hits_lost`, `clicks_to_recovery` and `unrecovered`, change by change.
    """
    streams = [make_stream(scenario, clicks, seed) for seed in range(len(runs))]
    own, twin = [], []
    counts: list[AlarmCounts] = []
    losses: list[Loss] = []
    for run, other, stream in zip(runs, twins, streams, strict=True):
        start = stream.changes[0].start if stream.changes else round(WARM_UP * clicks)
        own.append(hit_rate(run, start))
        twin.append(hit_rate(other, start))
        numbers = [number for number, _ in run.alarms]
        counts.append(judge_alarms(numbers, stream.changes, run.watched_from, run.clicks))
        # A change counts the stream's clicks, all of which are honest before it.
        losses += judge_loss(run, other, stream.changes)
    delays = [delay for count in counts for delay in count.delays]
    false, quiet = sum(c.false for c in counts), sum(c.quiet for c in counts)
    return {
        "seeds": list(range(len(runs))),
        "hr@20": round(float(np.mean(own)), 4),
        "twin_hr@20": round(float(np.mean(twin)), 4),
        "ratio": round(float(np.sum(own) / np.sum(twin)), 4),
        "ratios": [round(a / b, 4) for a, b in zip(own, twin, strict=True)],
        "delays": delays,
        "missed": delays.count(None),
        "repeats": sum(count.repeats for count in counts),
        "false_alarms": false,
        "quiet_clicks": quiet,
        "false_per_million": round(per_million(false, quiet), 1),
        "by_detector": _by_detector(runs),
        "hits_lost": [loss.hits for loss in losses],
        "clicks_to_recovery": [loss.recovery for loss in losses],
        "unrecovered": sum(loss.recovery is None for loss in losses),
    }


def _by_detector(runs: Sequence[Run]) -> dict[str, int]:
    names = [name for run in runs for _, name in run.alarms]
    return {name: names.count(name) for name in sorted(set(names))}


def table(rows: Mapping[str, dict[str, Any]]) -> str:
    """Return the rows as text, a Markdown table."""
    head = (
        *("scenario", "HR@20 (twin; ratio)", "delays in clicks", "missed", "repeats"),
        *("false alarms per 10^6", "hits lost per change", "clicks to recovery"),
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for scenario, row in rows.items():
        delays = _listed(row["delays"])
        lines.append(
            f"| {scenario} | {row['hr@20']:.3f} ({row['twin_hr@20']:.3f}; {row['ratio']:.3f}) "
            f"| {delays} | {row['missed']} of {len(row['delays'])} | {row['repeats']} "
            f"| {row['false_per_million']:.0f} ({row['false_alarms']} in {row['quiet_clicks']:,}) "
            f"| {_mean(row['hits_lost'])} | {_listed(row['clicks_to_recovery'])} |"
        )
    return "\n".join(lines)


def _listed(values: list[float | None]) -> str:
    return ", ".join("none" if v is None else f"{v:,}" for v in values) or "-"


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):,.0f}" if values else "-"
