"""Watch memory, files, lag and disk of the whole pipeline on Kafka under a steady load.

    python -m benchmarks.soak --minutes 30 --out docs/results/soak.json
    python -m benchmarks.soak --minutes 30 --events clicks.csv.gz

Starts a broker and the three roles, sends clicks at a fixed rate with `gsr produce` or
`gsr simulate`, and looks at every process every few seconds: memory, open files, threads, lag and
disk. A slope is Theil and Sen's, the median over all pairs of samples, after the warm-up: a few
outliers, such as a compaction, do not tilt it. Memory is in the results minute by minute, too: what
goes up and down has a slope over any short time. What has a limit is first filled: every user's
buffer (`state.buffer_length` clicks), what they have seen (`state.seen_items`), the feed of every
partition (`state.feed_bytes`) and the rows of the item graph should be full when the warm-up ends;
users times that many clicks must have come by then, and few enough items be there (`--items`).
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.reports import report
from consumers.runtime.supervisor import gsr_command
from tests.crash.fleet import Fleet, Member
from tests.kafka_broker import KafkaCluster, kafka_cluster

MIB: Final = 1024.0 * 1024.0
SAMPLE_SECONDS: Final = 5.0
ROLES: Final = ("ingest", "trainer", "publisher")
LAGS: Final = {
    "ingest": ("gsr_ingest_lag_records", "gsr_ingest_lag_seconds"),
    "trainer": ("gsr_trainer_lag_clicks",),
    "publisher": (
        "gsr_publisher_lag_records",
        "gsr_publisher_due_users",
        "gsr_served_lag_records",
    ),
}
VIEW: Final = "gsr_publisher_view_timestamp_seconds"
SIZES: Final = (
    "gsr_ingest_items",
    "gsr_ingest_edges",
    "gsr_ingest_cached_user_bytes",
    "gsr_ingest_dirty_bytes",
    "gsr_ingest_feed_bytes",
    "gsr_ingest_rocksdb_memory_bytes",
    "gsr_trainer_users",
    "gsr_publisher_kept_record_bytes",
)
"""Of what memory goes to; noted so that a slope can be read."""

TOTALS: Final = (
    "gsr_ingest_records_total",
    "gsr_retries_total",
    "gsr_trainer_clicks_counted_total",
    "gsr_trainer_clicks_learned_total",
    "gsr_trainer_clicks_shed_total",
)
MOST_PAIRED: Final = 400
"""Samples of one slope; more are thinned out evenly."""


@dataclass
class Series:
    """Samples of everything that is watched, by name.

    Parameters
    ----------
    times
        Seconds since the start, per name.
    values
        What was seen then.
    """

    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    values: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, name: str, at: float, value: float) -> None:
        """Add a sample."""
        self.times[name].append(at)
        self.values[name].append(value)

    def summary(self, warm_up: float) -> dict[str, dict[str, float]]:
        """Return, per name, what came after the warm-up, and the maximum of all."""
        found = {}
        for name in sorted(self.values):
            times, values = np.array(self.times[name]), np.array(self.values[name])
            late = times >= warm_up
            if late.sum() < 2:
                late[:] = True
            found[name] = {
                "slope_per_hour": round(slope(times[late], values[late]) * 3600.0, 3),
                "first": round(float(values[late][0]), 3),
                "last": round(float(values[late][-1]), 3),
                "median": round(float(np.median(values[late])), 3),
                "maximum": round(float(values.max()), 3),
                "maximum_after_warm_up": round(float(values[late].max()), 3),
            }
        return found

    def by_minute(self, ending: str) -> dict[str, list[float]]:
        """Return the median of each minute, of whatever has a name with this ending."""
        found = {}
        for name in sorted(self.values):
            if name.endswith(ending):
                minutes = np.array(self.times[name]) // 60.0
                values = np.array(self.values[name])
                found[name] = [
                    round(float(np.median(values[minutes == minute])), 1)
                    for minute in np.unique(minutes)
                ]
        return found


def slope(times: "np.ndarray[Any, Any]", values: "np.ndarray[Any, Any]") -> float:
    """Return Theil and Sen's slope: the median over all pairs.

    >>> slope(np.arange(5.0), np.array([1.0, 3.0, 5.0, 7.0, 100.0]))
    2.0
    """
    step = max(1, len(times) // MOST_PAIRED)
    times, values = times[::step], values[::step]
    first, second = np.triu_indices(len(times), k=1)
    if not len(first):
        return 0.0
    return float(np.median((values[second] - values[first]) / (times[second] - times[first])))


def watch(name: str, pid: int | None, series: Series, at: float) -> None:
    """Note a process's memory, files, threads and processor time."""
    if pid is None:
        return
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            series.note(f"{name}.memory_mib", at, process.memory_info().rss / MIB)
            series.note(f"{name}.open_files", at, process.num_fds())
            series.note(f"{name}.threads", at, process.num_threads())
            spent = process.cpu_times()
            series.note(f"{name}.cpu_seconds", at, spent.user + spent.system)
    except psutil.NoSuchProcess:
        series.note(f"{name}.gone", at, 1.0)


def watch_member(member: Member, series: Series, at: float) -> None:
    """Note a role's process, lag, counts and the age of the view that it serves."""
    watch(member.name, member.pid, series, at)
    samples = member.metrics()
    for wanted in LAGS[member.role]:
        found = [value for name, value in samples.items() if name.partition("{")[0] == wanted]
        if found:
            series.note(f"{member.name}.{wanted}", at, sum(found))
    for name in (*TOTALS, *SIZES):
        if name in samples:
            series.note(f"{member.name}.{name}", at, samples[name])
    if samples.get(VIEW):
        series.note(f"{member.name}.view_age_seconds", at, time.time() - samples[VIEW])
    for total in ("gsr_publisher_lists_total", "gsr_log_events_total"):
        found = [value for name, value in samples.items() if name.partition("{")[0] == total]
        if found:
            series.note(f"{member.name}.{total}", at, sum(found))


def disk_mib(path: Path) -> float:
    """Return the size of all files below `path`, each counted once however often it is linked."""
    seen: dict[int, int] = {}
    for folder, _, names in os.walk(path):  # files and folders may vanish under it
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = Path(folder, name).lstat()
                seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values()) / MIB


def feeder(arguments: argparse.Namespace, fleet: Fleet, output: Path) -> subprocess.Popen[bytes]:
    """Start what sends the clicks."""
    total = int(arguments.rate * arguments.minutes * 60)
    where = ["--log", fleet.config.log.url, "--set", f"log.partitions={arguments.partitions}"]
    pace = ["--rate", str(arguments.rate), "--restamp"]
    if arguments.events is not None:
        command = gsr_command("produce", str(arguments.events), *where, *pace)
        command += ["--limit", str(total)]
    else:
        users, items = str(arguments.users), str(arguments.items)
        command = gsr_command("simulate", *where, *pace, "--events", str(total))
        command += ["--users", users, "--items", items]
    with output.open("ab") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream)


def soak(
    arguments: argparse.Namespace, cluster: KafkaCluster, root: Path
) -> tuple[Series, dict[str, Any]]:
    """Run the load; return what was seen and how the processes ended."""
    settings = {
        "log": {"partitions": arguments.partitions},
        "state": {"seen_items": arguments.seen_items, "feed_bytes": arguments.feed_mib << 20},
    }
    fleet, series = Fleet(root, cluster.url, ROLES, settings), Series()
    feeding: subprocess.Popen[bytes] | None = None
    try:
        fleet.start()
        for member in fleet.of("ingest"):
            member.await_ready()
        began = time.monotonic()
        feeding = feeder(arguments, fleet, root / "feeder.log")
        while (at := time.monotonic() - began) < arguments.minutes * 60.0:
            fleet.look_after()
            for member in fleet.members.values():
                watch_member(member, series, at)
            for number, node in enumerate(cluster.nodes, start=1):
                watch(f"broker-{number}", node.pid, series, at)
            watch("feeder", feeding.pid, series, at)
            series.note("state.disk_mib", at, disk_mib(root))
            time.sleep(max(0.0, SAMPLE_SECONDS - (time.monotonic() - began - at)))
        _say(fleet, series)
        ended = {"restarts": {m.name: m.ends for m in fleet.members.values()}}
        return series, ended | {"exit_codes": fleet.stop()}
    finally:
        if feeding is not None:
            feeding.kill()
            feeding.wait()
        fleet.abandon()


def _say(fleet: Fleet, series: Series) -> None:
    for member in fleet.members.values():
        values = series.values.get(f"{member.name}.memory_mib", [0.0])
        print(f"{member.name}: {values[-1]:.0f} MiB at the end", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print, or write, its results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes left out of slopes")
    parser.add_argument("--rate", type=float, default=5000.0, help="clicks per second")
    parser.add_argument("--events", type=Path, help="an event file; default: simulated shoppers")
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument(
        "--seen-items", type=int, default=100, help="state.seen_items, full within the warm-up"
    )
    parser.add_argument(
        "--feed-mib", type=int, default=32, help="state.feed_bytes, full within the warm-up"
    )
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--keep", type=Path, help="work here and leave everything")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="gsr-soak-") as scratch:
        root = arguments.keep or Path(scratch)
        with kafka_cluster(1) as cluster:
            series, ended = soak(arguments, cluster, root)
    result = {
        "minutes": arguments.minutes,
        "warm_up_minutes": arguments.warm_up,
        "clicks_per_second": arguments.rate,
        "source": "simulated" if arguments.events is None else arguments.events.name,
        "users": arguments.users,
        "items": arguments.items,
        "seen_items": arguments.seen_items,
        "partitions": arguments.partitions,
        **ended,
        "series": series.summary(60.0 * arguments.warm_up),
        "by_minute": series.by_minute(".memory_mib"),
    }
    report(result, arguments.out)
    return 1 if any(ended["exit_codes"].values()) or any(ended["restarts"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
