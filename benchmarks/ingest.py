"""Rate at which clicks become durable state, and where the time goes.

    python -m benchmarks.ingest --out docs/results/ingest.json

For each size, simulated shoppers' clicks are put on an embedded log, and a fresh process runs the
real ingest role on it with everything on: validation, dead letters, sequences, flushes and
checkpoints. The clock runs from the first read, when the state is open, to the flush that makes the
last click durable. The largest size is measured once more for every further number of users.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.reports import machine, report
from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.runtime.garbage import collect_rarely
from stream.clock import SystemClock
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.embedded.log import EmbeddedLog

SIZES: Final = (100_000, 1_000_000, 10_000_000)
USERS: Final = (100_000, 10_000, 1_000_000)
ITEMS: Final = 50_000
WARM_UP: Final = 20_000
CLICKS_PER_SECOND: Final = 200.0


@dataclass
class Spent:
    """Seconds by part: of the wall's clock, and of this thread's CPU time."""

    wall: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def charged(self, name: str) -> Iterator[None]:
        """Charge the time inside to `name`, but for what is charged to others inside."""
        clocks = ((self.wall, time.perf_counter), (self.cpu, time.thread_time))
        begun = [(clock(), sum(spent.values())) for spent, clock in clocks]
        yield
        for (spent, clock), (start, before) in zip(clocks, begun, strict=True):
            spent[name] += clock() - start - (sum(spent.values()) - before)


def main() -> None:
    """Measure each size in a process of its own and print, or write, the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="EVENTS")
    parser.add_argument(
        "--users",
        type=int,
        nargs="+",
        default=USERS,
        metavar="N",
        help="shoppers of every size, and of further runs of the largest",
    )
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    parser.add_argument("--directory", type=Path, help="where logs and state may lie meanwhile")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(measure(arguments.directory, arguments.one, arguments.partitions)))
        return
    cases = [(size, arguments.users[0]) for size in arguments.sizes]
    cases += [(max(arguments.sizes), users) for users in arguments.users[1:]]
    results = [
        in_a_process(size, users, arguments.partitions, arguments.directory)
        for size, users in cases
    ]
    print(table(results), file=sys.stderr)
    report(
        {
            "benchmark": "ingest",
            **machine(),
            "partitions": arguments.partitions,
            "items_at_start": ITEMS,
            "results": results,
        },
        arguments.out,
    )


def in_a_process(size: int, users: int, partitions: int, parent: Path | None) -> dict[str, Any]:
    """Put `size` events on a log, and measure ingest in a process that did not make them."""
    with tempfile.TemporaryDirectory(dir=parent, prefix="gsr-bench-") as directory:
        root = Path(directory)
        for name, count in (("warm", WARM_UP), ("run", size)):
            produced = produce(root / name, count, users, partitions)
        print(f"{size:,} events on the log in {produced:.0f} s, ingesting ...", file=sys.stderr)
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.ingest", "--one", str(size)),
                *("--directory", directory, "--partitions", str(partitions)),
            ],
            check=True,
            stdout=subprocess.PIPE,
        )
        return {"users": users, **json.loads(finished.stdout)}


def configured(root: Path, partitions: int) -> GsrConfig:
    """Return the default configuration with log and state under `root`."""
    return GsrConfig().with_values(
        {
            "log": {"url": f"embedded:{root / 'log'}", "partitions": partitions},
            "state": {"directory": root / "state"},
        }
    )


def produce(root: Path, size: int, users: int, partitions: int) -> float:
    """Put `size` simulated events on a log under `root`; return the seconds that it took."""
    begun = time.monotonic()
    shop = SimulatorConfig(users=users, items=ITEMS, clicks_per_second=CLICKS_PER_SECOND)
    simulator = Simulator(shop, np.random.default_rng(1))
    config = configured(root, partitions)
    log = EmbeddedLog(root / "log", SystemClock(), survive_power_loss=False)
    for spec in config.log.topics():
        log.create_topic(spec)
    writer = log.writer(config.log.clicks)
    for events in simulator.events(size):
        writer.append(outgoing_clicks(events))
    log.close()
    return time.monotonic() - begun


def measure(root: Path, size: int, partitions: int) -> dict[str, Any]:
    """Ingest what lies under `root`; return figures."""
    ingest(configured(root / "warm", partitions), WARM_UP)  # kernels are compiled or loaded
    result = ingest(configured(root / "run", partitions), size)
    return {
        **result,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "state_bytes": directory_bytes(root / "run" / "state" / "ingest"),
    }


def ingest(config: GsrConfig, size: int) -> dict[str, Any]:
    """Run the role until `size` records are durable; return figures of that time alone."""
    clock = SystemClock()
    log = EmbeddedLog(Path(config.log.url.partition(":")[2]), clock)
    metrics = Metrics("ingest", clock)
    spent = Spent()
    role = IngestRole(config, log, clock, metrics, open_artifacts(config, clock))
    role._reader.poll = timed(role._reader.poll, spent, "log")  # type: ignore[method-assign]  # noqa: SLF001 - a benchmark looks inside
    role._send_sequences = timed(role._send_sequences, spent, "sequences")  # type: ignore[method-assign]  # noqa: SLF001 - same
    role._partitions.advance = timed(role._partitions.advance, spent, "opening")  # type: ignore[method-assign]  # noqa: SLF001 - same
    watched: set[int] = set()
    collect_rarely()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    try:
        while sum(role.positions().values()) < size:
            role.step()
            watch_parts(role, spent, watched)
        for part in role._parts.values():  # noqa: SLF001 - same
            part.flush()
        seconds = time.perf_counter() - begun - spent.wall.pop("opening")
        cpu = time.process_time() - cpu_begun - spent.cpu.pop("opening")
        wall, burnt = dict(spent.wall), dict(spent.cpu)
        names = ("gsr_ingest_sequences_total", "gsr_ingest_checkpoints_total")
        counts = [int(metrics.registry.get_sample_value(name) or 0) for name in names]
    finally:
        role.close()
        log.close()
    return {
        "events": size,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "events_per_second": round(size / seconds),
        "events_per_cpu_second": round(size / cpu),
        "events_per_cpu_second_without_log": round(size / (cpu - burnt["log"])),
        "share_of_seconds": shares(wall, seconds),
        "share_of_cpu_seconds": shares(burnt, cpu),
        "sequences": counts[0],
        "checkpoints": counts[1],
    }


def shares(spent: dict[str, float], whole: float) -> dict[str, float]:
    """Return each part's share of the whole, and what is left."""
    parts = {name: round(value / whole, 3) for name, value in sorted(spent.items())}
    return parts | {"other": round(1.0 - sum(parts.values()), 3)}


def watch_parts(role: IngestRole, spent: Spent, watched: set[int]) -> None:
    """Time the decoding and the state of partitions that are new."""
    for number, part in role._parts.items():  # noqa: SLF001 - a benchmark looks inside
        if number in watched:
            continue
        watched.add(number)
        part._codec.decode = timed(part._codec.decode, spent, "decoding")  # type: ignore[method-assign]  # noqa: SLF001 - same
        store = part._store  # noqa: SLF001 - same
        for name in ("apply", "flush", "checkpoint"):
            setattr(store, name, timed(getattr(store, name), spent, "state"))


def timed(function: Callable[..., Any], spent: Spent, name: str) -> Callable[..., Any]:
    """Return `function`, its calls charged to `name`."""

    def call(*arguments: Any, **named: Any) -> Any:
        with spent.charged(name):
            return function(*arguments, **named)

    return call


def directory_bytes(directory: Path) -> int:
    """Return the size of all files under `directory`."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def table(results: list[dict[str, Any]]) -> str:
    """Return the results as lines for a person."""
    heads = f"{'events':>12} {'users':>10} {'events/s':>10} {'per CPU s':>10} {'but for log':>11}"
    lines = [f"{heads}  shares of CPU time"]
    for one in results:
        shares = ", ".join(
            f"{name} {share:.0%}" for name, share in one["share_of_cpu_seconds"].items()
        )
        lines.append(
            f"{one['events']:>12,} {one['users']:>10,} {one['events_per_second']:>10,} "
            f"{one['events_per_cpu_second']:>10,} "
            f"{one['events_per_cpu_second_without_log']:>11,}  {shares}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
