"""Time that the roles take to start, and `gsr run --demo` to its first list and first model.

    python -m benchmarks.start --out docs/results/start.json

Each role is started alone on an empty embedded log, and its processor time is read when `/readyz`
says that it has started. Then the demo runs until it has a list and a model. Run it twice: the
first run compiles the kernels that the others find.
"""

import argparse
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.reports import machine, report
from benchmarks.role_processes import ROLE_COMMANDS, cpu, wait_for
from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.runtime.supervisor import gsr_command
from stream.address import Address
from stream.clock import SystemClock
from stream.log.embedded.log import EmbeddedLog
from tests.crash.pipeline import free_port

PATIENCE_SECONDS: Final = 120.0
DEMO: Final = Path("run") / "demo"
"""Where the demo keeps what it makes, below the directory that it is started in."""


def main() -> None:
    """Measure, and print or write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    arguments = parser.parse_args()
    roles: dict[str, dict[str, float]] = {}
    for command, role in ROLE_COMMANDS.items():
        with tempfile.TemporaryDirectory(prefix="gsr-start-") as directory:
            roles[role] = start_role(command, role, Path(directory))
    with tempfile.TemporaryDirectory(prefix="gsr-start-") as directory:
        demo = run_demo(Path(directory))
    report({"benchmark": "start", **machine(), "roles": roles, "demo": demo}, arguments.out)


def start_role(command: str, role: str, root: Path) -> dict[str, float]:
    """Return the seconds on the clock and of the processor until a role has started."""
    port, began = free_port(), time.monotonic()
    process = subprocess.Popen(
        gsr_command(
            *(command, "--log", f"embedded:{root / 'log'}", "--state", str(root / "state")),
            *("--set", f"http.{role}_port={port}"),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(Address("127.0.0.1", port), "started")
        times = psutil.Process(process.pid).cpu_times()
        seconds = time.monotonic() - began
    finally:
        process.terminate()
        process.wait(30)
    return {"seconds": round(seconds, 2), "cpu_seconds": round(times.user + times.system, 2)}


def run_demo(root: Path) -> dict[str, Any]:
    """Return when the demo had its first list and its first model, in seconds."""
    clock, began = SystemClock(), time.monotonic()
    process = subprocess.Popen(
        gsr_command("run", "--demo"),
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = EmbeddedLog(root / DEMO / "log", clock)
    config = GsrConfig().with_values({"state": {"directory": root / DEMO / "state"}})
    lists = config.log.recommendations
    try:
        await_true(lambda: lists in log.topics() and any(log.end_offsets(lists).values()))
        first_list, spent = time.monotonic() - began, cpu(process.pid)
        artifacts = open_artifacts(config, clock)
        await_true(lambda: artifacts.current_snapshot() > 0)
        first_model = time.monotonic() - began
    finally:
        log.close()
        process.send_signal(signal.SIGINT)
        process.wait(60)
    return {
        "first_list_seconds": round(first_list, 1),
        "first_model_seconds": round(first_model, 1),
        "cpu_seconds_at_first_list": spent,
    }


def await_true(holds: Callable[[], bool]) -> None:
    """Return when `holds` does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the demo does not get on")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
