"""Waiting for a role, by what its /readyz says."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from typing import Final

from stream.address import Address

START_SECONDS: Final = 120.0


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
