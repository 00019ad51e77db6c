"""The table: what detectors and learner made of each scenario, over all seeds."""

from collections.abc import Mapping
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
from benchmarks.drift.scenarios import Stream, make_stream

TWIN: Final = "stationary"
REACTIONS: Final = ("raised", "plain")
"""Learning effort after alarms: raised as by default, or as ever."""

Runs = Mapping[tuple[int, str], Run]
"""A scenario's runs by seed and reaction; a seed without alarms has no "plain" one: it would be
the same."""


def summarise(scenario: str, runs: Runs, twins: Mapping[int, Run], clicks: int) -> dict[str, Any]:
    """Return a scenario's row.

    Parameters
    ----------
    scenario
        Its name.
    runs
        Of the scenario.
    twins
        The unchanged stream's "raised" runs by seed.
    clicks
        Honest ones in a stream.

    Returns
    -------
    dict
        ``hr@20`` and the twin's (`twin_hr@20`) from the first change on (from the end of the
        warm-up where there is none), `ratio` of both, and `ratios` seed by seed; `delays`,
        `missed` and `repeats` of true changes' alarms; `false_alarms` among `quiet_clicks`, and
        per million; `hits_lost`, `clicks_to_recovery` and `unrecovered`, change by change;
        `effort`: see `_effort`.
    """
    seeds = sorted({seed for seed, _ in runs})
    streams = {seed: make_stream(scenario, clicks, seed) for seed in seeds}
    counts = [_count_alarms(runs[seed, "raised"], streams[seed]) for seed in seeds]
    delays = [delay for count in counts for delay in count.delays]
    false, quiet = sum(c.false for c in counts), sum(c.quiet for c in counts)
    own, twin = [], []
    for seed in seeds:
        changes = streams[seed].changes
        start = changes[0].start if changes else round(WARM_UP * clicks)
        own.append(hit_rate(runs[seed, "raised"], start))
        twin.append(hit_rate(twins[seed], start))
    losses = {
        reaction: [
            loss
            for seed in seeds
            for loss in _losses(_run(runs, seed, reaction), twins[seed], streams[seed])
        ]
        for reaction in REACTIONS
    }
    return {
        "seeds": seeds,
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
        "by_detector": _by_detector(runs, seeds),
        **_loss_document(losses["raised"]),
        "effort": {
            **_effort(runs, seeds),
            "without_it": _loss_document(losses["plain"]),
        },
    }


def _run(runs: Runs, seed: int, reaction: str) -> Run:
    return runs.get((seed, reaction), runs[seed, "raised"])


def _count_alarms(run: Run, stream: Stream) -> AlarmCounts:
    numbers = [number for number, _ in run.alarms]
    return judge_alarms(numbers, stream.changes, run.watched_from, run.clicks)


def _losses(run: Run, twin: Run, stream: Stream) -> list[Loss]:
    """Return the losses; a change counts the stream's clicks, all of which are honest before it."""
    return judge_loss(run, twin, stream.changes)


def _loss_document(losses: list[Loss]) -> dict[str, Any]:
    return {
        "hits_lost": [loss.hits for loss in losses],
        "clicks_to_recovery": [loss.recovery for loss in losses],
        "unrecovered": sum(loss.recovery is None for loss in losses),
    }


def _by_detector(runs: Runs, seeds: list[int]) -> dict[str, int]:
    names = [name for seed in seeds for _, name in runs[seed, "raised"].alarms]
    return {name: names.count(name) for name in sorted(set(names))}


def _effort(runs: Runs, seeds: list[int]) -> dict[str, Any]:
    """Return what the raised effort won, in hits of all honest clicks, and what it cost.

    `gained_hits` per seed (0 where nothing was raised), their sum as a share of the plain runs'
    hits from the first alarm on, and the replayed samples, raised over plain.
    """
    gained, hits = [], 0
    replayed = dict.fromkeys(REACTIONS, 0)
    for seed in seeds:
        raised, plain = _run(runs, seed, "raised"), _run(runs, seed, "plain")
        gained.append(sum(raised.hits) - sum(plain.hits))
        if raised.alarms:
            first = round(raised.alarms[0][0] / raised.clicks * len(plain.hits))
            hits += sum(plain.hits[first:])
        replayed["raised"] += raised.replayed
        replayed["plain"] += plain.replayed
    return {
        "gained_hits": gained,
        "gained_share": round(sum(gained) / hits, 4) if hits else 0.0,
        "replay_ratio": round(replayed["raised"] / max(replayed["plain"], 1), 3),
    }


def table(rows: Mapping[str, dict[str, Any]]) -> str:
    """Return the rows as text, a Markdown table."""
    head = (
        *("scenario", "HR@20 (twin; ratio)", "delays in clicks", "missed", "repeats"),
        *("false alarms per 10^6", "hits lost per change", "clicks to recovery"),
        "raised effort: hits gained",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for scenario, row in rows.items():
        delays = _listed(row["delays"])
        lines.append(
            f"| {scenario} | {row['hr@20']:.3f} ({row['twin_hr@20']:.3f}; {row['ratio']:.3f}) "
            f"| {delays} | {row['missed']} of {len(row['delays'])} | {row['repeats']} "
            f"| {row['false_per_million']:.0f} ({row['false_alarms']} in {row['quiet_clicks']:,}) "
            f"| {_mean(row['hits_lost'])} | {_listed(row['clicks_to_recovery'])} "
            f"| {_listed(row['effort']['gained_hits'])} ({row['effort']['gained_share']:+.2%}; "
            f"replay x{row['effort']['replay_ratio']:.2f}) |"
        )
    return "\n".join(lines)


def _listed(values: list[float | None]) -> str:
    return ", ".join("none" if v is None else f"{v:,}" for v in values) or "-"


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):,.0f}" if values else "-"
