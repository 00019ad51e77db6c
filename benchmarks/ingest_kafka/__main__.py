"""Measure every contender in turn, several times: `python -m benchmarks.ingest_kafka`.

With `--out` the results are kept after each run, and the same command goes on where it stopped.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.ingest_kafka.clicks import ClickTopic
from benchmarks.ingest_kafka.cluster import benchmark_cluster
from benchmarks.ingest_kafka.contenders import CONTENDERS, Contender, ContenderFailedError
from benchmarks.ingest_kafka.reference import expected
from benchmarks.ingest_kafka.results import rates, ratios, table
from benchmarks.ingest_kafka.task import Task
from benchmarks.result_file import OtherSettingsError, ResultFile

NAMES = {contender.name: contender.what for contender in CONTENDERS}


def main() -> None:
    """Read the arguments, measure what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000, help="slow peers get a part")
    parser.add_argument("--warm-events", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--compression", default="none", help="of the clicks: lz4, zstd, ...")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=tuple(NAMES), metavar="CONTENDER")
    parser.add_argument("--servers", help="of a cluster that runs; default: start a broker")
    parser.add_argument("--directory", type=Path, help="where log and state may lie meanwhile")
    parser.add_argument("--out", type=Path, help="keep the results here, and go on from here")
    arguments = parser.parse_args()
    settings = {
        name: getattr(arguments, name)
        for name in ("events", "warm_events", "users", "partitions", "compression")
    }
    try:
        results = ResultFile.open(arguments.out, "ingest_kafka", settings, summary)
        with benchmark_cluster(arguments.servers, arguments.directory) as servers:
            measure_missing(arguments, servers, results)
    except (ContenderFailedError, OtherSettingsError) as error:
        sys.exit(str(error))
    print(table(rates(results.runs), NAMES))


def measure_missing(arguments: argparse.Namespace, servers: str, results: ResultFile) -> None:
    """Measure in alternating order, so that a busy minute hits everyone."""
    wanted = arguments.only or list(NAMES)
    warm = click_topic(arguments, arguments.warm_events)
    warm.fill(servers)
    truths = {graph: truth(warm, graph) for graph in ("whole", "partitions")}
    for number in range(arguments.runs):
        for contender in CONTENDERS:
            if contender.name not in wanted:
                continue
            if results.holds(contender=contender.name, run=number):
                continue
            measured = click_topic(arguments, int(arguments.events * contender.share))
            measured.fill(servers)
            answers = measure(contender, arguments, servers, warm, measured)
            if contender.graph is not None:
                check(contender, answers["warm"], truths[contender.graph])
            results.add(contender=contender.name, run=number, **answers)
            print(f"run {number + 1}: {contender.name} {answers['measured']}", file=sys.stderr)


def measure(
    contender: Contender,
    arguments: argparse.Namespace,
    servers: str,
    warm: ClickTopic,
    measured: ClickTopic,
) -> dict[str, dict[str, Any]]:
    """Run a contender once."""
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="gsr-bench-") as directory:
        return contender.measure(
            Task(
                servers=servers,
                partitions=arguments.partitions,
                warm_topic=warm.name,
                warm_events=warm.events,
                topic=measured.name,
                events=measured.events,
                directory=directory,
            )
        )


def click_topic(arguments: argparse.Namespace, events: int) -> ClickTopic:
    """Return the topic with the first `events` of the stream."""
    return ClickTopic(
        events=events,
        users=arguments.users,
        partitions=arguments.partitions,
        compression=arguments.compression,
    )


def truth(topic: ClickTopic, graph: str) -> dict[str, Any]:
    """Return what the job comes to after the clicks of a topic."""
    return expected(topic.records(), topic.partitions if graph == "partitions" else 1)


def check(contender: Contender, shown: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse figures of a contender that did something else."""
    found = {name: shown.get(name) for name in wanted}
    # Sums of thirds depend on the order of their adding.
    close = abs((found.pop("weight") or 0.0) - wanted["weight"]) < 1e-6 * wanted["weight"]
    if not close or any(value != wanted[name] for name, value in found.items()):
        raise ContenderFailedError(f"{contender.name} came to {shown}, not to {wanted}")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the file says before the single runs."""
    found = rates(runs)
    return {"rates": found, "ratios": ratios(found)}


if __name__ == "__main__":
    main()
