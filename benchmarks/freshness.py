"""Time from a click to its user's refreshed list on the topic, and to a model that learned it.

    python -m benchmarks.freshness EVENTS --minutes 5 --out docs/results/freshness.json

Starts `gsr run`, sends the event file with `gsr produce` at a fixed rate, and reads the topics as
a consumer would, meanwhile. A click is answered by the first list of its user that knows it
(`source_offset`); the time counts from the log's append of the click to its append of the list.
It is learned by the first published model whose positions are behind it. What the trainer let go
unlearned, and its quality on the newest clicks, are read off its metrics at the end.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.learned_clicks import LearnedClicks
from benchmarks.reports import machine, report
from benchmarks.role_processes import ROLE_COMMANDS, cpu, memories, wait_for
from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.runtime.role_figures import parse_samples
from consumers.runtime.supervisor import gsr_command
from stream.address import Address
from stream.clock import Periodic, SystemClock
from stream.events.records.recommendation import decode_recommendation
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Log, RecordBatch

DRAIN_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 1.0
COUNTS: Final = {
    "counted": "gsr_trainer_clicks_counted_total",
    "scored": "gsr_trainer_clicks_scored_total",
    "learned": "gsr_trainer_clicks_learned_total",
    "shed": "gsr_trainer_clicks_shed_total",
    "missed": "gsr_trainer_clicks_missed_total",
}
QUALITY: Final = ("joint", "graph", "popularity")


@dataclass
class Answers:
    """Clicks that wait for a list, and how long the others waited.

    The topics are read one after the other, so a list may be seen before its click is: the newest
    list of each user is remembered.
    """

    waiting: defaultdict[bytes, deque[tuple[int, float]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    known: dict[bytes, tuple[int, float]] = field(default_factory=dict)
    waits: list[tuple[float, float]] = field(default_factory=list)
    versions: set[int] = field(default_factory=set)
    clicks: int = 0
    lists: int = 0

    def note_clicks(self, batch: RecordBatch) -> None:
        """Note clicks."""
        self.clicks += len(batch)
        rows = zip(batch.keys, batch.offsets.tolist(), batch.append_times.tolist(), strict=True)
        for key, offset, appended in rows:
            known, listed = self.known.get(key or b"", (-1, 0.0))
            if offset <= known:
                self.waits.append((appended, listed - appended))
            else:
                self.waiting[key or b""].append((offset, appended))

    def note_lists(self, batch: RecordBatch) -> None:
        """Note lists, and the clicks that they answer."""
        for key, value, appended in zip(
            batch.keys, batch.values, batch.append_times.tolist(), strict=True
        ):
            if value is None:
                continue
            record = decode_recommendation(value)
            self.lists += 1
            self.versions.add(record.model_version)
            waiting = self.waiting[key or b""]
            known = -1 if record.source_offset is None else record.source_offset
            if known > self.known.get(key or b"", (-1, 0.0))[0]:
                self.known[key or b""] = (known, appended)
            while waiting and waiting[0][0] <= known:
                clicked = waiting.popleft()[1]
                self.waits.append((clicked, appended - clicked))

    @property
    def unanswered(self) -> int:
        """How many clicks have no list; refused and repeated clicks never get one."""
        return sum(map(len, self.waiting.values()))


def main() -> None:
    """Run the benchmark and print, or write, its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=1000.0, help="clicks per second")
    parser.add_argument("--warm-up", type=float, default=30.0, help="seconds reported apart")
    parser.add_argument("--restamp", action="store_true", help="send with the time of sending")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    parser.add_argument("--directory", type=Path, help="where log and state may lie meanwhile")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="gsr-bench-") as directory:
        report(measure(arguments, Path(directory)), arguments.out)


def measure(arguments: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Run everything once and return the figures."""
    config = GsrConfig().with_values(
        {"log": {"url": f"embedded:{root / 'log'}"}, "state": {"directory": root / "state"}}
    )
    places = ["--log", config.log.url, "--state", str(config.state.directory)]
    extra = [word for one in arguments.set for word in ("--set", one)]
    output = (root / "run.log").open("wb")
    run = subprocess.Popen(
        gsr_command("run", "--no-serve", *places, *extra), stdout=output, stderr=output
    )
    try:
        for role in ROLE_COMMANDS.values():
            port = getattr(config.http, f"{role}_port")
            wait_for(Address(config.http.host, port), "started")
        memory = {"start": memories(run.pid)}
        count = int(arguments.rate * 60 * arguments.minutes)
        produce = subprocess.Popen(
            [
                *gsr_command("produce", str(arguments.events), "--log", config.log.url),
                *("--rate", str(arguments.rate), "--limit", str(count)),
                *(["--restamp"] if arguments.restamp else []),
            ],
            stdout=output,
            stderr=output,
        )
        log = EmbeddedLog(root / "log", SystemClock())
        learned = LearnedClicks(open_artifacts(config, SystemClock()))
        answers, drained = follow(log, config, produce, run, learned)
        lags = lag(log, config)
        trainer = trainer_figures(config)
        memory["end"] = memories(run.pid)
        seconds = cpu(run.pid)
        log.close()
    except BaseException:
        sys.stderr.write((root / "run.log").read_text(errors="replace")[-5000:])
        raise
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
        code = run.wait(60)
        output.close()
    first = min((clicked for clicked, _ in answers.waits), default=0.0)
    warm = [wait for clicked, wait in answers.waits if clicked >= first + arguments.warm_up]
    to_model, unlearned = learned.waits()
    return {
        "benchmark": "freshness",
        "events": arguments.events.parent.name + "/" + arguments.events.name,
        **machine(),
        "clicks_per_second": arguments.rate,
        "minutes": arguments.minutes,
        "clicks": answers.clicks,
        "lists": answers.lists,
        "unanswered": answers.unanswered,
        "click_to_list_seconds": percentiles([wait for _, wait in answers.waits]),
        "click_to_list_seconds_after_warm_up": percentiles(warm),
        "warm_up_seconds": arguments.warm_up,
        "click_to_model_seconds": percentiles(to_model),
        "in_no_model_at_end": unlearned,
        "trainer": trainer,
        "drain_seconds": round(drained, 2),
        "lag_at_end": lags,
        "model_versions": sorted(answers.versions),
        "memory_bytes": memory,
        "cpu_seconds": seconds,
        "exit_code": code,
    }


def follow(
    log: Log,
    config: GsrConfig,
    produce: "subprocess.Popen[bytes]",
    run: "subprocess.Popen[bytes]",
    learned: LearnedClicks,
) -> tuple[Answers, float]:
    """Read the topics until nothing is left to come; return answers, and the last seconds."""
    answers = Answers()
    clicks, lists = log.reader(config.log.clicks), log.reader(config.log.recommendations)
    finished: float | None = None
    next_look = Periodic(SystemClock(), LOOK_SECONDS)
    while True:
        if run.poll() is not None:
            raise RuntimeError(f"gsr run ended by itself with exit code {run.returncode}")
        for batch in clicks.poll(10_000, 0.0):
            answers.note_clicks(batch)
            learned.note_clicks(batch)
        if next_look.due():
            learned.look()
        for batch in lists.poll(10_000, 0.02):
            answers.note_lists(batch)
        if finished is None and produce.poll() is not None:
            finished = time.monotonic()
        if finished is None:
            continue
        drained = time.monotonic() - finished
        if not any(sum(one.values()) for one in lag(log, config).values()):
            for batch in lists.poll(100_000, 1.0):
                answers.note_lists(batch)
            return answers, drained
        if drained > DRAIN_SECONDS:
            return answers, drained


def trainer_figures(config: GsrConfig) -> dict[str, float]:
    """Return what the trainer says of itself: clicks learned and shed, and recent HR@20."""
    with urllib.request.urlopen(
        f"http://{Address(config.http.host, config.http.trainer_port)}/metrics"
    ) as answer:
        samples = parse_samples(answer.read().decode())
    figures = {name: samples[total, frozenset()] for name, total in COUNTS.items()}
    for model in QUALITY:
        labels = frozenset({"model": model, "k": "20", "slice": "all"}.items())
        figures[f"recent_hr@20_{model}"] = round(samples["gsr_trainer_hit_ratio", labels], 4)
    return figures


def lag(log: Log, config: GsrConfig) -> dict[str, dict[int, int]]:
    """Return how many records each role has still to take, by partition."""
    found = {}
    for role, group, topic in (
        ("ingest", config.ingest.group, config.log.clicks),
        ("publisher", config.publisher.group, config.log.sequences),
    ):
        saved, ends = log.saved_positions(group, topic), log.end_offsets(topic)
        found[role] = {partition: end - saved.get(partition, 0) for partition, end in ends.items()}
    return found


def percentiles(waits: list[float]) -> dict[str, float]:
    """Return the usual percentiles, in seconds."""
    if not waits:
        return {}
    values = np.percentile(waits, [50, 90, 99, 99.9, 100])
    names = ("p50", "p90", "p99", "p99.9", "max")
    return dict(zip(names, np.round(values, 3).tolist(), strict=True))


if __name__ == "__main__":
    main()
