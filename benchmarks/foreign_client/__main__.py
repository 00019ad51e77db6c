"""Kill roles of `gsr run` on Kafka while another client's clicks flow, then judge the topics.

    python -m benchmarks.foreign_client --out docs/results/foreign-client.json

Starts a broker and `gsr run`, sends clicks and records that are none with librdkafka, ends roles
with SIGKILL meanwhile, and measures how long each is away: until its successor says on `/readyz`
that it serves. In the end every list and dead letter is held against what the documents promise.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.foreign_client.judgement import Judgement, judge_dead_letters, judge_lists
from benchmarks.foreign_client.shop import ListWatch, Shop, read_dead_letters
from benchmarks.freshness import percentiles
from benchmarks.reports import machine, report
from benchmarks.role_processes import START_SECONDS, roles, wait_for
from consumers.config.settings import GsrConfig
from consumers.runtime.supervisor import gsr_command
from stream.address import Address
from tests.crash.pipeline import free_port
from tests.kafka_broker import kafka_cluster

ROLES: Final = ("ingest", "trainer", "publisher")
SETTLE_SECONDS: Final = 120.0


def main() -> int:
    """Run it; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clicks", type=int, default=30_000)
    parser.add_argument("--rate", type=float, default=500.0, help="clicks per second")
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work here and leave everything")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="gsr-foreign-") as scratch,
        kafka_cluster() as cluster,
    ):
        result = measure(arguments, cluster.bootstrap_servers, arguments.keep or Path(scratch))
    report(result, arguments.out)
    return 1 if result["faults"] else 0


def measure(arguments: argparse.Namespace, servers: str, root: Path) -> dict[str, Any]:
    """Run everything once and return the figures."""
    topics = GsrConfig().log
    ports = {role: free_port() for role in ROLES}
    run = start(servers, root, ports)
    shop = Shop(
        servers,
        topics.clicks,
        clicks=arguments.clicks,
        per_second=arguments.rate,
        users=arguments.users,
        items=arguments.items,
        seed=arguments.seed,
    )
    try:
        for port in ports.values():
            wait_for(Address("127.0.0.1", port), "started")
        watch = ListWatch(servers, topics.recommendations)
        shop.start()
        kills = kill_roles(arguments, run, ports)
        shop.finish()
        settled = settle(shop, watch)
        watch.close()
    except BaseException:
        sys.stderr.write((root / "run.log").read_text(errors="replace")[-5000:])
        raise
    finally:
        run.send_signal(signal.SIGTERM)
        code = run.wait(60)
    judged = judge_lists(shop.sent, watch.lists)
    letters = judge_dead_letters(shop.poison, read_dead_letters(servers, topics.dead_letters))
    return {
        "benchmark": "foreign_client",
        **machine(),
        "options": {name: getattr(arguments, name) for name in ("clicks", "rate", "users", "seed")},
        "clicks": len(shop.sent),
        "poison_records": len(shop.poison),
        "sending_failures": shop.failures,
        "lists": len(watch.lists),
        "users": len({click.user for click in shop.sent}),
        "kills": kills,
        "settled_seconds": settled,
        "click_to_list_seconds": percentiles(judged.waits),
        "faults": faults_of(judged, letters),
        "examples": judged.examples + letters.examples,
        "exit_code": code,
    }


def start(servers: str, root: Path, ports: Mapping[str, int]) -> "subprocess.Popen[bytes]":
    """Start `gsr run` with defaults, on ports of its own."""
    settings = [f"http.{role}_port={port}" for role, port in ports.items()]
    command = gsr_command(
        "run", "--no-serve", "--log", f"kafka://{servers}", "--state", str(root / "state")
    )
    with (root / "run.log").open("wb") as output:
        return subprocess.Popen(
            [*command, *(word for one in settings for word in ("--set", one))],
            stdout=output,
            stderr=output,
        )


def kill_roles(
    arguments: argparse.Namespace, run: "subprocess.Popen[bytes]", ports: Mapping[str, int]
) -> list[dict[str, Any]]:
    """End random roles at even distances; return each one and how long it was away.

    A role that a kill finds not yet back is left alone: another one is taken.
    """
    random = np.random.default_rng(arguments.seed)
    seconds = arguments.clicks / arguments.rate
    began, kills = time.monotonic(), []
    for at in np.linspace(0.1 * seconds, 0.85 * seconds, arguments.kills):
        time.sleep(max(0.0, began + float(at) - time.monotonic()))
        role = str(random.choice(ROLES))
        killed = roles(run.pid)[role]
        killed.kill()
        since = time.monotonic()
        wait_for_successor(run.pid, role, killed.pid, ports[role])
        kills.append({"role": role, "away_seconds": round(time.monotonic() - since, 2)})
    return kills


def wait_for_successor(pid: int, role: str, before: int, port: int) -> None:
    """Return when another process of the role runs and is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        process = roles(pid).get(role)
        if process is not None and process.pid != before:
            wait_for(Address("127.0.0.1", port))
            return
        time.sleep(0.02)
    raise TimeoutError(f"{role} was not started again")


def settle(shop: Shop, watch: ListWatch) -> float:
    """Wait until every user's newest click has its list, or for long enough; return seconds."""
    began = time.monotonic()
    newest = {click.user: click.offset for click in sorted(shop.sent, key=lambda c: c.offset)}
    while time.monotonic() - began < SETTLE_SECONDS:
        known = watch.known()
        if all(known.get(user, -1) >= offset for user, offset in newest.items()):
            break
        time.sleep(0.1)
    return round(time.monotonic() - began, 2)


def faults_of(*judgements: Judgement) -> dict[str, int]:
    """Return all faults with how often each was found."""
    return {fault: times for one in judgements for fault, times in one.faults.items()}


if __name__ == "__main__":
    sys.exit(main())
