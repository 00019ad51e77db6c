"""Latency of the HTTP API at a fixed rate of requests, while views and models are replaced.

    python -m benchmarks.serve_load --items 10000 100000 1000000 --out docs/results/serve-load.json

For each number of items: makes a catalogue with a graph, a model and users' lists out of nothing,
starts `gsr serve` on them, and sends requests at random moments (open loop: a late answer delays no
other request). A latency counts from the moment at which its request was due. The mix is lists that
the topic answers, lists that must be computed, sessions, neighbours, similar items, users and their
search, and the status. An answer that is not 200, or none, ends it with an error.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.reports import machine, report
from benchmarks.role_processes import wait_for
from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.runtime.supervisor import gsr_command
from consumers.serving.view import ServingView, encode_view
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from stream.address import Address
from stream.clock import SystemClock
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of

PARTITIONS: Final = 4
MIX: Final = {
    "topic": 0.5,
    "computed": 0.18,
    "rank": 0.14,
    "similar": 0.05,
    "neighbours": 0.05,
    "user": 0.05,
    "users": 0.02,
    "status": 0.01,
}
WARM_UP_SECONDS: Final = 3.0
SCALED: Final = 0.1
"""Deviation of the made-up weights of the model."""


@dataclass
class Answers:
    """What came back: latencies by kind of request in seconds, statuses, and what never came."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    late_sends: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Newest:
    """What the trainer publishes: each of them as bytes and a manifest."""

    view: tuple[bytes, dict[str, Any]]
    model: tuple[bytes, dict[str, Any]]


def main() -> None:
    """Run the benchmark and print, or write, its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--neighbours", type=int, default=32, help="of each item")
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--view-seconds", type=float, default=5.0, help="from view to view")
    parser.add_argument("--model-seconds", type=float, default=20.0, help="from model to model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directory", type=Path, help="where log and state may lie meanwhile")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    arguments = parser.parse_args()
    runs = []
    for items in arguments.items:
        with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="gsr-bench-") as root:
            runs.append(measure(arguments, items, Path(root)))
    mix = {"rate": arguments.rate, "seconds": arguments.seconds, "mix": MIX}
    report({"benchmark": "serve_load", **machine(), **mix, "runs": runs}, arguments.out)
    if faulty := [run["items"] for run in runs if not all_answered(run)]:
        raise SystemExit(f"not every request was answered with 200, at {faulty} items")


def measure(arguments: argparse.Namespace, items: int, root: Path) -> dict[str, Any]:
    """Run one size once and return the figures."""
    rng = np.random.default_rng(arguments.seed)
    config = GsrConfig().with_values(
        {
            "log": {"url": f"embedded:{root / 'log'}", "partitions": PARTITIONS},
            "state": {"directory": root / "state"},
        }
    )
    store = open_artifacts(config, SystemClock())
    view = made_view(items, arguments.neighbours, config.model, rng)
    newest = Newest(
        view=encode_view(view),
        model=encode_snapshot(made_model(items, config.model), view.generations, {}),
    )
    store.publish_view(*newest.view)
    store.publish_snapshot(*newest.model)
    fill_topics(config, root, arguments.users, items, rng)
    output = (root / "serve.log").open("wb")
    settings = ["serve.scrape_roles=false", "serve.requests_per_second=100000"]
    settings += ["serve.burst_requests=100000", f"log.partitions={PARTITIONS}"]
    places = ["--log", config.log.url, "--state", str(root / "state")]
    begun = time.monotonic()
    process = subprocess.Popen(
        gsr_command("serve", *places, *(word for one in settings for word in ("--set", one))),
        stdout=output,
        stderr=output,
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
    )
    try:
        wait_for(Address(config.http.host, config.http.serve_port))
        start_seconds = time.monotonic() - begun
        watched = psutil.Process(process.pid)
        before, denied = watched.cpu_times(), seconds_denied(process.pid)
        answers = asyncio.run(ask_all(arguments, items, config, store, newest, rng))
        used = watched.cpu_times()
        denied = seconds_denied(process.pid) - denied
        memory = watched.memory_info().rss
    except BaseException:
        print((root / "serve.log").read_text(errors="replace")[-5000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        output.close()
    every = [one for kind in answers.seconds.values() for one in kind]
    cpu = used.user + used.system - before.user - before.system
    seconds = arguments.seconds + WARM_UP_SECONDS
    return {
        "items": items,
        "edges": len(view.graph.neighbours),
        "users": arguments.users,
        "start_seconds": round(start_seconds, 2),
        "requests": len(every),
        "statuses": {str(status): count for status, count in sorted(answers.statuses.items())},
        "failed": dict(answers.failed),
        "milliseconds": percentiles(every),
        "milliseconds_by_kind": {kind: percentiles(answers.seconds[kind]) for kind in MIX},
        "client_lateness_milliseconds": percentiles(answers.late_sends),
        "cpu_share_of_one_core": round(cpu / seconds, 3),
        "denied_processor_seconds": round(denied, 2),
        "resident_bytes": memory,
        "exit_code": code,
    }


def all_answered(run: dict[str, Any]) -> bool:
    """Return whether every request got what it asked for, and the server ended in order."""
    return not run["failed"] and set(run["statuses"]) == {"200"} and run["exit_code"] == 0


def seconds_denied(pid: int) -> float:
    """Return how long a process's threads could have run but had no processor, in all; on Linux."""
    waits = [task.read_text().split()[1] for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(map(int, waits)) / 1e9


def made_view(
    items: int, neighbours: int, config: RankerConfig, rng: np.random.Generator
) -> ServingView:
    """Return counters of a catalogue: few popular items, and edges mostly towards these."""
    now = time.time()
    half_lives, close = np.array(config.half_lives), np.array(config.close_half_lives)
    columns = len(half_lives) + len(close)
    popularity = (1000.0 / (1.0 + rng.permutation(items))).astype(np.float32)
    targets = (items * rng.random((items, neighbours)) ** 3).astype(np.uint32)
    targets.sort(axis=1)
    references = np.floor(now / np.concatenate([half_lives, close])).astype(np.int64)
    weights = rng.exponential(1.0, (items * neighbours, columns)).astype(np.float32)
    scales = len(half_lives)
    graph = ItemGraph(
        half_lives=half_lives,
        row_starts=np.arange(items, dtype=np.int64) * neighbours,
        row_lengths=np.full(items, neighbours, dtype=np.int32),
        row_references=np.tile(references, (items, 1)),
        neighbours=targets.ravel(),
        weights=weights,
        popularity=np.repeat(popularity[:, None], scales, axis=1),
        popularity_references=np.tile(references[:scales], (items, 1)),
        last_clicks=np.full(items, now),
        alive=np.ones(items, dtype=np.bool_),
        close_half_lives=close,
    )
    return ServingView(
        graph=graph,
        item_ids=[f"item-{n}" for n in range(items)],
        generations=np.zeros(items, dtype=np.int64),
        reference_time=now,
        created_at=now,
        positions=dict.fromkeys(range(PARTITIONS), 1),
    )


def made_model(items: int, config: RankerConfig) -> RankerModel:
    """Return a model whose weights nobody learned: as costly as one that was."""
    model, rng = RankerModel(config, 0), np.random.default_rng(0)
    for weights in (model.linear, *model.network.weights):
        weights[:] = SCALED * rng.standard_normal(weights.shape)
    if model.vectors is not None:
        model.vectors.items.grow(items, rng)
    return model


def fill_topics(
    config: GsrConfig, root: Path, users: int, items: int, rng: np.random.Generator
) -> None:
    """Put a sequence and a list of each user on the topics, and the default list."""
    log = EmbeddedLog(root / "log", SystemClock())
    for spec in config.log.topics():
        log.create_topic(spec)
    now = time.time()
    sequences, lists = [], []
    for user in range(users):
        key = f"user-{user}".encode()
        clicked = [f"item-{n}" for n in (items * rng.random(20) ** 3).astype(int)]
        best = [f"item-{n}" for n in rng.integers(0, items, config.publisher.list_length)]
        record = SequenceRecord(
            user_id=key.decode(),
            items=clicked,
            times=[now - 60.0 * age for age in range(len(clicked), 0, -1)],
            events=["click"] * len(clicked),
            source_partition=partition_of(key, PARTITIONS),
            source_offset=1,
            next_offset=2,
            last_click_at=now - 60.0,
            accepted_at=now,
        )
        sequences.append(Outgoing(key, record.encode()))
        lists.append(Outgoing(key, listed(key.decode(), best, now).encode()))
    default = listed("", [f"item-{n}" for n in range(100)], now)
    for topic, records in (
        (config.log.sequences, sequences),
        (config.log.recommendations, lists),
        (config.log.default_recommendations, [Outgoing(b"default", default.encode())]),
    ):
        writer = log.writer(topic)
        writer.append(records)
        writer.close()
    log.close()


def listed(user: str, items: Sequence[str], now: float) -> Recommendation:
    """Return a list as the publisher sends it."""
    return Recommendation(
        user_id=user,
        items=[ScoredItem(item, 9.0 - 0.1 * n) for n, item in enumerate(items)],
        model_version=1,
        generated_at=now,
        reason="click" if user else "cold",
        source_offset=1 if user else None,
    )


async def ask_all(
    arguments: argparse.Namespace,
    items: int,
    config: GsrConfig,
    store: ArtifactStore,
    newest: Newest,
    rng: np.random.Generator,
) -> Answers:
    """Send all requests at their moments, while newer views and models come; return the answers."""
    seconds = WARM_UP_SECONDS + arguments.seconds
    count = int(arguments.rate * seconds)
    due = np.cumsum(rng.exponential(1.0 / arguments.rate, count)).tolist()
    kinds = rng.choice(list(MIX), count, p=list(MIX.values())).tolist()
    requests = [request_of(kind, arguments.users, items, rng) for kind in kinds]
    where = Address(config.serve.host, config.serve.port)
    idle: list[Connection] = []
    answers = Answers()
    begun = time.monotonic()
    publishing = [
        asyncio.create_task(publish(store.publish_view, newest.view, arguments.view_seconds)),
        asyncio.create_task(publish(store.publish_snapshot, newest.model, arguments.model_seconds)),
    ]

    async def ask(kind: str, moment: float, sent: bytes) -> None:
        connection = idle.pop() if idle else Connection(where)
        try:
            status = await connection.ask(sent)
        except (OSError, EOFError, ValueError) as error:
            answers.failed[type(error).__name__] += 1
            return
        idle.append(connection)
        if moment >= WARM_UP_SECONDS:
            answers.statuses[status] += 1
            answers.seconds[kind].append(time.monotonic() - begun - moment)

    tasks = []
    for kind, moment, sent in zip(kinds, due, requests, strict=True):
        wait = moment - (time.monotonic() - begun)
        if wait > 0:
            await asyncio.sleep(wait)
        answers.late_sends.append(max(0.0, time.monotonic() - begun - moment))
        tasks.append(asyncio.create_task(ask(kind, moment, sent)))
    await asyncio.gather(*tasks)
    for one in publishing:
        one.cancel()
    for connection in idle:
        connection.close()
    return answers


async def publish(
    put: Callable[[bytes, dict[str, Any]], object],
    artifact: tuple[bytes, dict[str, Any]],
    every: float,
) -> None:
    """Publish something anew all the time, as the trainer does."""
    while True:
        await asyncio.sleep(every)
        await asyncio.to_thread(put, *artifact)


class Connection:
    """A connection that stays open; one request at a time."""

    def __init__(self, where: Address) -> None:
        self._where = where
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> int:
        """Send a request and read its whole answer; return its status."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._where.host, self._where.port)
        reader, writer = self._streams
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(line for line in lines if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        return int(lines[0].split()[1])

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()


def request_of(kind: str, users: int, items: int, rng: np.random.Generator) -> bytes:
    """Return a request of one kind, as it goes over the wire."""
    user, item = rng.integers(users), int(items * rng.random() ** 3)
    paths = {
        "topic": f"/v1/users/user-{user}/recommendations?k=20",
        "computed": f"/v1/users/user-{user}/recommendations?k=40&exclude=item-{item}",
        "neighbours": f"/v1/items/item-{item}/neighbours",
        "similar": f"/v1/items/item-{item}/similar",
        "user": f"/v1/users/user-{user}",
        "users": f"/v1/users?prefix=user-{user // 100}",
        "status": "/v1/status",
    }
    if kind != "rank":
        return f"GET {paths[kind]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    clicks = [{"item_id": f"item-{int(items * place**3)}"} for place in rng.random(8)]
    body = json.dumps({"clicks": clicks, "k": 20}).encode()
    head = "POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the usual percentiles, in milliseconds."""
    if not seconds:
        return {}
    values = 1000.0 * np.percentile(seconds, [50, 90, 99, 99.9, 100])
    names = ("p50", "p90", "p99", "p99.9", "max")
    return dict(zip(names, np.round(values, 2).tolist(), strict=True))


if __name__ == "__main__":
    main()
