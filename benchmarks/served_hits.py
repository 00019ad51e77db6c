"""What became of the lists of a live run, counted twice: by the publisher, and from the topics.

    python -m benchmarks.served_hits EVENTS --minutes 3 --out docs/results/served-hits.json

Starts a broker and the roles, sends an event file with `gsr produce`, and reads along with
`examples/served_hits.py`, which imports nothing of gsr and knows of the topics' documents alone.
Then compares every count: clicks by outcome and reason, hits by position and reason, and clicks and
hits of the newest model versions. Ends with 1 where any differs.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.reports import machine, report
from consumers.config.settings import GsrConfig
from consumers.roles.publisher.attribution.served_clicks import served_group
from consumers.runtime.supervisor import gsr_command
from examples.served_hits import SETTLE_SECONDS, ServedHits, TopicReader
from stream.clock import SystemClock
from stream.log.opening import open_log
from tests.crash.fleet import Fleet
from tests.kafka_broker import kafka_cluster

ROLES: Final = ("ingest", "trainer", "publisher")
START_SECONDS: Final = 120.0
FIRST_LISTS_SECONDS: Final = 300.0
DRAIN_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 1.0
HEAD_START: Final = 2000
"""Clicks before all others, for the first counters and lists."""
SAMPLE: Final = re.compile(r"(\w+)\{(.*)\}")
LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
Counts = dict[str, int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print, or write, its results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=500.0, help="clicks per second")
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="gsr-served-") as scratch, kafka_cluster() as cluster:
        published, served, ended = run(arguments, cluster.bootstrap_servers, Path(scratch))
    result = {
        "benchmark": "served_hits",
        "events": arguments.events.parent.name + "/" + arguments.events.name,
        **machine(),
        "clicks_per_second": arguments.rate,
        "minutes": arguments.minutes,
        "exit_codes": ended,
        **comparison(published, served),
    }
    report(result, arguments.out)
    return 0 if result["equal"] and not any(ended.values()) else 1


def run(
    arguments: argparse.Namespace, servers: str, root: Path
) -> tuple[dict[str, float], ServedHits, dict[str, int]]:
    """Return the publisher's samples, the counts from the topics, and the exit codes."""
    # It is several models' lists that are to be told apart: the trainer does not step back.
    settings = {"log": {"partitions": arguments.partitions}, "trainer": {"nice": 0}}
    fleet = Fleet(root, f"kafka://{servers}", ROLES, settings)
    produce: subprocess.Popen[bytes] | None = None
    served = ServedHits()
    try:
        fleet.start()
        fleet.members["ingest"].await_ready()
        await_counting(fleet)
        reader = TopicReader(servers, served, topics(fleet.config))
        head_start(arguments.events, fleet, reader)
        produce = producer(arguments, fleet)
        follow(fleet, reader, served, produce)
        reader.close()
        published = fleet.members["publisher"].metrics()
        print(comparison(published, served), file=sys.stderr, flush=True)
        return published, served, fleet.stop()
    finally:
        if produce is not None:
            produce.kill()
            produce.wait()
        fleet.abandon()


def await_counting(fleet: Fleet) -> None:
    """Return when the publisher has noted of every partition where it begins to count."""
    config = fleet.config
    log = open_log(config.log.url, SystemClock())
    deadline = time.monotonic() + START_SECONDS
    while len(log.saved_positions(served_group(config), config.log.clicks)) < config.log.partitions:
        fleet.look_after()
        if time.monotonic() > deadline:
            raise TimeoutError("does not begin to count: " + fleet.members["publisher"].said())
        time.sleep(0.2)
    log.close()


def topics(config: GsrConfig) -> tuple[str, str, str, str]:
    """Return the names of the topics that the example reads."""
    log = config.log
    return log.clicks, log.dead_letters, log.recommendations, log.default_recommendations


def head_start(events: Path, fleet: Fleet, reader: TopicReader) -> None:
    """Send the first clicks, and read along until there are lists: before, nothing is a hit."""
    sending = sender(events, fleet, "--limit", str(HEAD_START))
    publisher = fleet.members["publisher"]
    deadline = time.monotonic() + FIRST_LISTS_SECONDS
    while sending.poll() is None or not publisher.is_ready():
        read_until = time.monotonic() + LOOK_SECONDS
        while time.monotonic() < read_until:
            reader.poll(0.01)
        fleet.look_after()
        if time.monotonic() > deadline:
            raise TimeoutError("there are no lists: " + publisher.said())


def sender(events: Path, fleet: Fleet, *flags: str) -> "subprocess.Popen[bytes]":
    """Start `gsr produce`."""
    command = gsr_command("produce", str(events), "--log", fleet.config.log.url, "--restamp")
    command += ["--set", f"log.partitions={fleet.config.log.partitions}", *flags]
    with (fleet.root / "produce.log").open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output)


def producer(arguments: argparse.Namespace, fleet: Fleet) -> "subprocess.Popen[bytes]":
    """Start what sends the clicks."""
    count = str(int(arguments.rate * 60 * arguments.minutes))
    flags = ["--rate", str(arguments.rate), "--limit", count, "--skip", str(HEAD_START)]
    return sender(arguments.events, fleet, *flags)


def follow(
    fleet: Fleet, reader: TopicReader, served: ServedHits, produce: "subprocess.Popen[bytes]"
) -> None:
    """Read along until all clicks are sent, held against lists by the publisher, and judged."""
    look_at, quiet_since = 0.0, 0.0
    deadline = None
    while True:
        for _ in range(2000):
            reader.poll(0.001)
        now = time.time()
        if now < look_at:
            continue
        look_at = now + LOOK_SECONDS
        served.judge(now - SETTLE_SECONDS)
        fleet.look_after()
        if produce.poll() is None:
            quiet_since = now
            continue
        if produce.returncode:
            raise RuntimeError((fleet.root / "produce.log").read_text()[-2000:])
        deadline = deadline or now + DRAIN_SECONDS
        if lagging(fleet):
            quiet_since = now
        if now - quiet_since > SETTLE_SECONDS:
            served.judge()
            return
        if now > deadline:
            raise TimeoutError(
                "clicks are still to be counted: " + fleet.members["publisher"].said()
            )


def lagging(fleet: Fleet) -> bool:
    """Return whether the publisher has clicks still to hold against lists."""
    samples = fleet.members["publisher"].metrics()
    return samples.get("gsr_served_lag_records", 1.0) > 0.0


def comparison(published: Mapping[str, float], served: ServedHits) -> dict[str, Any]:
    """Return both counts side by side, and whether they are equal.

    The publisher has gauges of the newest three versions; the topics tell of all.
    """
    by_topics, by_metrics = by_version(served.versions), versions(published)
    topics = {"clicks": by_words(served.clicks), "hits": by_words(served.hits)}
    metrics = {
        "clicks": labelled(published, "gsr_served_clicks_total", ("outcome", "reason")),
        "hits": labelled(published, "gsr_served_hits_total", ("position", "reason")),
    }
    newest = {name: by_topics.get(name) for name in by_metrics}
    equal = {name: bool(counts) and counts == topics[name] for name, counts in metrics.items()}
    equal["versions"] = bool(newest) and newest == by_metrics
    return {
        "equal": all(equal.values()),
        "equal_counts": equal,
        "topics": {**topics, "versions": by_topics},
        "metrics": {**metrics, "versions": by_metrics},
    }


def by_words(counts: Counter[tuple[str, str]]) -> Counts:
    """Return counts under names that JSON can hold."""
    return {" ".join(key): count for key, count in sorted(counts.items())}


def by_version(counts: Counter[tuple[int, str]]) -> dict[str, dict[str, float]]:
    """Return clicks, hits and hit rate of each version."""
    return {
        str(version): rated(
            counts[version, "hit"] + counts[version, "miss"], counts[version, "hit"]
        )
        for version in sorted({version for version, _ in counts})
    }


def rated(clicks: float, hits: float) -> dict[str, float]:
    """Return a version's counts and their ratio."""
    return {"clicks": int(clicks), "hits": int(hits), "hit_rate": round(hits / clicks, 4)}


def labelled(samples: Mapping[str, float], name: str, order: tuple[str, str]) -> Counts:
    """Return the samples of a metric that are not 0, by the values of its labels."""
    found = {}
    for sample, value in samples.items():
        parts = SAMPLE.fullmatch(sample)
        if parts and parts[1] == name and value:
            labels = dict(LABEL.findall(parts[2]))
            found[" ".join(labels[label] for label in order)] = int(value)
    return dict(sorted(found.items()))


def versions(samples: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return what the publisher's gauges say of the newest versions."""

    def by_model(name: str) -> dict[str, float]:
        found = {}
        for sample, value in samples.items():
            parts = SAMPLE.fullmatch(sample)
            if parts and parts[1] == name:
                found[dict(LABEL.findall(parts[2]))["model"]] = value
        return found

    numbers = by_model("gsr_served_model_version")
    clicks, hits = by_model("gsr_served_model_clicks"), by_model("gsr_served_model_hits")
    return {
        str(int(numbers[model])): rated(clicks[model], hits[model])
        for model in sorted(numbers, key=lambda one: numbers[one])
        if clicks.get(model)
    }


if __name__ == "__main__":
    sys.exit(main())
