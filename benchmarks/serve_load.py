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
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.made_service import MadeService, make_service, serving
from benchmarks.reports import machine, report
from stream.address import Address

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
LONGEST_IDLE_SECONDS: Final = 20.0
"""The server closes connections that nobody has used for 30 s."""


@dataclass
class Answers:
    """What came back: latencies by kind of request in seconds, statuses, and what never came."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    late_sends: list[float] = field(default_factory=list)


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
    made = make_service(root, items, arguments.users, arguments.neighbours, rng)
    begun = time.monotonic()
    with serving(made) as watched:
        start_seconds = time.monotonic() - begun
        before, denied = watched.cpu_times(), seconds_denied(watched.pid)
        answers = asyncio.run(ask_all(arguments, made, rng))
        used = watched.cpu_times()
        denied = seconds_denied(watched.pid) - denied
        memory = watched.memory_info().rss
    every = [one for kind in answers.seconds.values() for one in kind]
    cpu = used.user + used.system - before.user - before.system
    seconds = arguments.seconds + WARM_UP_SECONDS
    return {
        "items": items,
        "edges": items * arguments.neighbours,
        "users": arguments.users,
        "view_seconds": arguments.view_seconds,
        "model_seconds": arguments.model_seconds,
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
    }


def all_answered(run: dict[str, Any]) -> bool:
    """Return whether every request got what it asked for."""
    return not run["failed"] and set(run["statuses"]) == {"200"}


def seconds_denied(pid: int) -> float:
    """Return how long a process's threads could have run but had no processor, in all; on Linux."""
    waits = [task.read_text().split()[1] for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(map(int, waits)) / 1e9


async def ask_all(
    arguments: argparse.Namespace, made: MadeService, rng: np.random.Generator
) -> Answers:
    """Send all requests at their moments, while newer views and models come; return the answers."""
    seconds = WARM_UP_SECONDS + arguments.seconds
    count = int(arguments.rate * seconds)
    due = np.cumsum(rng.exponential(1.0 / arguments.rate, count)).tolist()
    kinds = rng.choice(list(MIX), count, p=list(MIX.values())).tolist()
    requests = [request_of(kind, arguments.users, made.items, rng) for kind in kinds]
    where = made.address
    idle: deque[Connection] = deque()  # those that were used last stand last
    answers = Answers()
    begun = time.monotonic()
    publishing = [
        asyncio.create_task(publish(made.store.publish_view, made.view, arguments.view_seconds)),
        asyncio.create_task(
            publish(made.store.publish_snapshot, made.model, arguments.model_seconds)
        ),
    ]

    async def ask(kind: str, moment: float, sent: bytes) -> None:
        while idle and idle[0].idle_seconds > LONGEST_IDLE_SECONDS:
            idle.popleft().close()
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
        self._used_at = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last answer."""
        return time.monotonic() - self._used_at

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
        self._used_at = time.monotonic()
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
