"""Processes of roles: whether they are ready, and what memory and processor time they take."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from typing import Final

import psutil

from stream.address import Address

START_SECONDS: Final = 120.0
ROLE_COMMANDS: Final = {"ingest": "ingest", "train": "trainer", "publish": "publisher"}
"""Command to role."""


def wait_for(role: Address, check: str | None = None) -> None:
    """Return when a role is ready, or, with `check`, when its /readyz says that this one holds."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        checks = readiness(role)
        if checks and (all(checks.values()) if check is None else checks.get(check, False)):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{role} is not ready: {readiness(role)}")


def readiness(role: Address) -> dict[str, bool]:
    """Return the checks of /readyz by name; {} while nobody answers."""
    with contextlib.suppress(OSError, ValueError):
        try:
            with urllib.request.urlopen(f"http://{role}/readyz", timeout=5) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return dict(json.loads(text).get("checks", {}))
    return {}


def roles(pid: int) -> dict[str, psutil.Process]:
    """Return the role processes under `gsr run`."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            for word in process.cmdline():
                if word in ROLE_COMMANDS:
                    found[ROLE_COMMANDS[word]] = process
    return found


def memories(pid: int) -> dict[str, int]:
    """Return the resident bytes of each role."""
    return {role: process.memory_info().rss for role, process in roles(pid).items()}


def cpu(pid: int) -> dict[str, float]:
    """Return the CPU seconds that each role has used."""
    times = {role: process.cpu_times() for role, process in roles(pid).items()}
    return {role: round(used.user + used.system, 1) for role, used in times.items()}
