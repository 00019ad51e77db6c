"""Medians, spreads and ratios of single runs, and a table of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.reports import spread

BASELINES: Final = ("kafka-streams", "quix-streams")
SUBJECTS: Final = ("ingest", "ingest-no-sequences")

Runs = Sequence[Mapping[str, Any]]
"""Each says the contender's name, the number of the run, and what it answered."""


def rates(runs: Runs) -> dict[str, dict[str, Any]]:
    """Return, by contender, events per second and per CPU-second: median, least and most."""
    measured: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        measured[run["contender"]].append(run["measured"])
    return {
        name: {
            "runs": len(each),
            "events": each[-1]["events"],
            "events_per_second": spread([one["events"] / one["seconds"] for one in each]),
            "events_per_cpu_second": spread([one["events"] / one["cpu_seconds"] for one in each]),
        }
        for name, each in measured.items()
    }


def ratios(summary: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return how many times the rate of each baseline (any variant) our medians are."""
    return {
        subject: {
            name: {
                kind: round(summary[subject][kind]["median"] / other[kind]["median"], 1)
                for kind in ("events_per_cpu_second", "events_per_second")
            }
            for name, other in summary.items()
            if name.startswith(BASELINES)
        }
        for subject in SUBJECTS
        if subject in summary
    }


def table(summary: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return the rates as lines for a person, in thousands of events."""
    lines = [f"{'thousands of events':<29}{'wall':>18}{'per CPU-second':>22}  what"]
    for name, what in names.items():
        if name not in summary:
            continue
        cells = [
            f"{one['median'] / 1e3:,.1f} ({one['least'] / 1e3:,.0f}-{one['most'] / 1e3:,.0f})"
            for one in (
                summary[name]["events_per_second"],
                summary[name]["events_per_cpu_second"],
            )
        ]
        lines.append(f"{name:<29}{cells[0]:>18}{cells[1]:>22}  {what}")
    for subject, others in ratios(summary).items():
        for name, times in others.items():
            lines.append(
                f"{subject} / {name}: {times['events_per_cpu_second']:,.1f} per CPU-second"
            )
    return "\n".join(lines)
