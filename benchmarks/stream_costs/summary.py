"""What single runs come to: curves, ratios, and tables of them."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.reports import spread
from benchmarks.stream_costs.learning import STAGES
from benchmarks.stream_costs.products import CONTENDERS

Runs = Sequence[Mapping[str, Any]]
"""Each says its part and its case, and what was measured."""

PARTS = ("learning", "lists", "products")
COLUMNS = (*STAGES, "all")


def summarise(runs: Runs) -> dict[str, Any]:
    """Return the medians over the runs of every case, and ratios."""
    by_part = {part: [run for run in runs if run["part"] == part] for part in PARTS}
    return {
        "learning": learning_curves(by_part["learning"]),
        "lists": list_rates(by_part["lists"]),
        "products": product_rates(by_part["products"]),
    }


def learning_curves(runs: Runs) -> dict[str, Any]:
    """Return what a click costs, by clicks and by the size of the shop.

    A curve's ratio is its largest case to its smallest one; that of memory, too.
    """
    found: dict[str, Any] = {}
    for each in _same(runs, ("curve", "size", "clicks")):
        found.setdefault(each[0]["curve"], {"points": []})["points"].append(learning_point(each))
    for curve in found.values():
        curve["largest_to_smallest"] = growth(curve["points"][0], curve["points"][-1])
    return found


def learning_point(runs: Runs) -> dict[str, Any]:
    """Return one case's figures."""
    last = runs[-1]
    tenths = [
        median(each) for each in zip(*(r["microseconds_by_tenth"] for r in runs), strict=True)
    ]
    return {
        "size": last["size"],
        "clicks": last["clicks"],
        "runs": len(runs),
        "ranked": last["ranked"],
        "learned": last["learned"],
        "items_known": last["items_known"],
        "microseconds_per_click": {
            stage: spread([run["microseconds"][stage] for run in runs], 1) for stage in COLUMNS
        },
        "microseconds_by_tenth": [round(tenth, 1) for tenth in tenths],
        "megabytes": {
            name: round(max(run["bytes"][name] for run in runs) / 2**20)
            for name in ("programs", "before", "peak")
        },
    }


def growth(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, float]:
    """Return how many times the figures of one case those of another are."""
    costs = [point["microseconds_per_click"] for point in (first, last)]
    return {
        **{
            stage: _ratio(costs[1][stage]["median"], costs[0][stage]["median"]) for stage in COLUMNS
        },
        "peak_memory": _ratio(last["megabytes"]["peak"], first["megabytes"]["peak"]),
    }


def list_rates(runs: Runs) -> list[dict[str, Any]]:
    """Return lists per second of the processor, by size of the shop; medians over all runs."""
    found = []
    for each in _same(runs, ("size",)):
        rates = [run["lists_per_cpu_second"] for run in each]
        found.append(
            {
                "size": each[0]["size"],
                "runs": len(each),
                "items_known": each[-1]["items_known"],
                "new_view_milliseconds": median(run["new_view_milliseconds"] for run in each),
                "lists_per_cpu_second": {
                    together: {
                        kind: spread([rate[together][kind]["median"] for rate in rates])
                        for kind in ("scoring", "whole_recommender")
                    }
                    for together in rates[0]
                },
            }
        )
    return found


def product_rates(runs: Runs) -> list[dict[str, Any]]:
    """Return users per second by contender, and how many times those of the others ours is."""
    found = []
    for each in _same(runs, ("items", "threads")):
        rates = {
            name: {
                unit: spread([run[name][unit] for run in each])
                for unit in ("users_per_second", "users_per_cpu_second")
            }
            for name in CONTENDERS
        }
        ours = rates["ours"]
        found.append(
            {
                "items": each[0]["items"],
                "threads": each[0]["threads"],
                "runs": len(each),
                "contenders": rates,
                "ratios": {
                    name: {
                        unit: _ratio(ours[unit]["median"], rate[unit]["median"]) for unit in rate
                    }
                    for name, rate in rates.items()
                    if name != "ours"
                },
                "least_identical_sets": min(
                    one["identical_sets"]
                    for run in each
                    for one in run["agreement_with_ours"].values()
                ),
            }
        )
    return found


def tables(summary: Mapping[str, Any]) -> str:
    """Return everything as lines for a person."""
    lines: list[str] = []
    for name, curve in summary["learning"].items():
        lines += [f"microseconds of the processor per click, {name.replace('_', ' ')}"]
        lines += [f"{'users, items':>12}{'clicks':>12}{''.join(f'{c:>16}' for c in COLUMNS)}   MiB"]
        for point in curve["points"]:
            costs = point["microseconds_per_click"]
            cells = "".join(f"{costs[stage]['median']:>16,.1f}" for stage in COLUMNS)
            head = f"{point['size']:>12,}{point['clicks']:>12,}"
            lines.append(f"{head}{cells}{point['megabytes']['peak']:>6,}")
        grown = curve["largest_to_smallest"]
        cells = "".join(f"{grown[stage]:>16.2f}" for stage in COLUMNS)
        lines.append(f"{'largest to smallest':>24}{cells}{grown['peak_memory']:>6.1f}")
    for one in summary["lists"]:
        for together, rates in one["lists_per_cpu_second"].items():
            lines.append(
                f"{one['size']:>12,} items, {together} users at once: "
                f"{rates['scoring']['median']:,} lists a CPU-second by the scorer, "
                f"{rates['whole_recommender']['median']:,} in all"
            )
    lines += [_product_line(one) for one in summary["products"]]
    return "\n".join(lines)


def _product_line(one: Mapping[str, Any]) -> str:
    head = f"{one['items']:>12,} items, {one['threads']} threads: users per second (per CPU-second)"
    cells = [
        f"{name} {rate['users_per_second']['median']:,} "
        f"({rate['users_per_cpu_second']['median']:,})"
        for name, rate in one["contenders"].items()
    ]
    times = [
        f"ours {ratio['users_per_second']:.2f} ({ratio['users_per_cpu_second']:.2f}) times {name}"
        for name, ratio in one["ratios"].items()
    ]
    return f"{head} {', '.join(cells)}; {', '.join(times)}"


def _same(runs: Runs, marks: Iterable[str]) -> list[list[Mapping[str, Any]]]:
    """Return runs of the same case together, in ascending order of the cases."""
    cases: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for run in runs:
        cases.setdefault(tuple(run[mark] for mark in marks), []).append(run)
    return [cases[case] for case in sorted(cases)]


def _ratio(last: float, first: float) -> float:
    return round(last / first, 3)
