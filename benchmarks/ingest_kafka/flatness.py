"""Cost of a click as the stream and its users grow, with the whole contract on.

    python -m benchmarks.ingest_kafka.flatness --out run/ingest_kafka_flatness.json

With `--out` the results are kept after each run, and the same command goes on where it stopped.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.ingest_kafka.clicks import ClickTopic
from benchmarks.ingest_kafka.cluster import benchmark_cluster
from benchmarks.ingest_kafka.contenders import CONTENDERS, ContenderFailedError
from benchmarks.ingest_kafka.task import Task
from benchmarks.reports import spread
from benchmarks.result_file import OtherSettingsError, ResultFile

EVENTS: Final = (100_000, 1_000_000, 10_000_000)
USERS: Final = (10_000, 100_000, 1_000_000)
USERS_WITH_EVENTS: Final = 100_000
EVENTS_WITH_USERS: Final = 2_000_000
WARM_EVENTS: Final = 100_000
PARTITIONS: Final = 4


def points() -> dict[str, list[tuple[int, int]]]:
    """Return (events, users) of each curve."""
    return {
        "events": [(events, USERS_WITH_EVENTS) for events in EVENTS],
        "users": [(EVENTS_WITH_USERS, users) for users in USERS],
    }


def main() -> None:
    """Measure what is missing; print the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", type=int, metavar="EVENTS", help="only these sizes")
    parser.add_argument("--servers", help="of a cluster that runs; default: start a broker")
    parser.add_argument("--directory", type=Path, help="where log and state may lie meanwhile")
    parser.add_argument("--out", type=Path, help="keep the results here, and go on from here")
    arguments = parser.parse_args()
    try:
        results = ResultFile.open(arguments.out, "ingest_kafka.flatness", {}, summary)
        with benchmark_cluster(arguments.servers, arguments.directory) as servers:
            measure_missing(arguments, servers, results)
    except (ContenderFailedError, OtherSettingsError) as error:
        sys.exit(str(error))
    print(table(results.runs))


def measure_missing(arguments: argparse.Namespace, servers: str, results: ResultFile) -> None:
    """Measure each point of both curves once a round."""
    ingest = next(one for one in CONTENDERS if one.name == "ingest")
    sizes = sorted({point for curve in points().values() for point in curve})
    for number in range(arguments.runs):
        for events, users in sizes:
            skip = arguments.only is not None and events not in arguments.only
            if skip or results.holds(events=events, users=users, run=number):
                continue
            warm, measured = (topic(size, users) for size in (WARM_EVENTS, events))
            warm.fill(servers)
            measured.fill(servers)
            with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="gsr-bench-") as home:
                task = Task(
                    servers=servers,
                    partitions=PARTITIONS,
                    warm_topic=warm.name,
                    warm_events=warm.events,
                    topic=measured.name,
                    events=events,
                    directory=home,
                )
                answers = ingest.measure(task)
            results.add(events=events, users=users, run=number, **answers)
            print(f"run {number + 1}: {events:,} events, {users:,} users", file=sys.stderr)


def topic(events: int, users: int) -> ClickTopic:
    """Return the topic of a point."""
    return ClickTopic(events=events, users=users, partitions=PARTITIONS, compression="none")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the curves: CPU nanoseconds per event, and how far they are from flat."""
    curves: dict[str, Any] = {}
    for name, curve in points().items():
        costs = {}
        for events, users in curve:
            each = [
                one["measured"]["cpu_seconds"] / events * 1e9
                for one in runs
                if (one["events"], one["users"]) == (events, users)
            ]
            if each:
                costs[str(events if name == "events" else users)] = spread(each)
        medians = [one["median"] for one in costs.values()]
        middle = (max(medians) + min(medians)) / 2 if medians else 1.0
        off = (max(medians) - min(medians)) / 2 / middle if medians else 0.0
        curves[name] = {"cpu_nanoseconds_per_event": costs, "off_flat": round(off, 3)}
    return {"curves": curves}


def table(runs: list[dict[str, Any]]) -> str:
    """Return the curves as lines for a person."""
    lines = []
    for name, curve in summary(runs)["curves"].items():
        lines.append(f"CPU time per event by {name}: flat within ±{curve['off_flat']:.0%}")
        for size, cost in curve["cpu_nanoseconds_per_event"].items():
            lines.append(
                f"{int(size):>12,} {name:<7}{cost['median'] / 1e3:>6.2f} µs "
                f"({cost['least'] / 1e3:.2f}-{cost['most'] / 1e3:.2f})"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
