"""Kill and pause processes and brokers while clicks flow, then compare every byte.

    python -m benchmarks.chaos --out docs/results/chaos.json

Three brokers (replication 3, two in sync), two ingest processes, a trainer and a publisher; the
schedule is seeded. In the end a fresh ingest reads the same log in one go, and every entry of the
state, every sequence, every dead letter and every user's list is compared with it.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.reports import report
from tests.crash.chaos import ChaosOptions, run_chaos
from tests.kafka_broker import kafka_cluster


def main() -> int:
    """Run it; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clicks", type=int, default=2_000_000)
    parser.add_argument("--rate", type=float, default=2500.0, help="clicks per second")
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--disruptions", type=int, default=60)
    parser.add_argument("--calm", type=float, default=14.0, help="longest pause, seconds")
    parser.add_argument("--settle", type=float, default=900.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--keep", type=Path, help="work here and leave everything")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    options = ChaosOptions(
        seed=arguments.seed,
        clicks=arguments.clicks,
        clicks_per_second=arguments.rate,
        users=arguments.users,
        disruptions=arguments.disruptions,
        longest_calm_seconds=arguments.calm,
        settle_seconds=arguments.settle,
    )
    began = time.monotonic()

    def said(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="gsr-chaos-") as scratch:
        root = arguments.keep or Path(scratch)
        with kafka_cluster(arguments.brokers) as cluster:
            ledger = run_chaos(options, cluster, root, said)
    result = {
        "options": asdict(options),
        **asdict(ledger),
        "minutes": round((time.monotonic() - began) / 60.0, 1),
    }
    report(result, arguments.out)
    return 1 if ledger.problems else 0


if __name__ == "__main__":
    sys.exit(main())
