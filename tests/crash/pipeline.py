"""The roles as real processes on a real directory, to be killed."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.log.embedded.log import EmbeddedLog

COMMANDS: Final = {"ingest": "ingest", "trainer": "train", "publisher": "publish"}
DEADLINE_SECONDS: Final = 120.0


@dataclass
class Pipeline:
    """A log directory, a state directory, and role processes on them.

    Parameters
    ----------
    root
        Where everything lies.
    settings
        Section to setting to value, on top of the defaults.
    """

    root: Path
    settings: Mapping[str, Mapping[str, Any]]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starts: int = 0

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.ports = {role: free_port() for role in COMMANDS}
        self.config = GsrConfig().with_values(
            {
                **self.settings,
                "log": {"url": f"embedded:{self.root / 'log'}", "partitions": 2},
                "state": {"directory": self.root / "state"},
                "http": {f"{role}_port": port for role, port in self.ports.items()},
            }
        )
        self.log = EmbeddedLog(self.root / "log", SystemClock())
        for spec in self.config.log.topics():
            self.log.create_topic(spec)

    def start(self, role: str) -> None:
        """Start a role with the real command."""
        values = self.config.model_dump(mode="json", exclude_defaults=True, exclude={"model"})
        flags = [
            f"{section}.{name}={value}"
            for section, settings in values.items()
            for name, value in settings.items()
        ]
        self.starts += 1
        with (self.root / f"{role}.log").open("ab") as output:
            self.running[role] = subprocess.Popen(
                [
                    *(sys.executable, "-m", "consumers.cli", COMMANDS[role]),
                    *(word for flag in flags for word in ("--set", flag)),
                ],
                stdout=output,
                stderr=output,
            )

    def kill(self, role: str) -> None:
        """Kill a role as the kernel would when memory runs out."""
        process = self.running.pop(role)
        assert process.poll() is None, f"{role} ended by itself: {self.said(role)}"
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End all roles in order, as an operator would."""
        for role, process in self.running.items():
            process.terminate()
            assert process.wait(DEADLINE_SECONDS) == 0, (
                f"{role} did not end well: {self.said(role)}"
            )
        self.running.clear()

    def abandon(self) -> None:
        """Leave no process behind, whatever happened."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()
        self.log.close()

    def said(self, role: str) -> str:
        """Return the end of what a role printed."""
        return (self.root / f"{role}.log").read_text(errors="replace")[-3000:]

    def wait_until_started(self, role: str) -> None:
        """Return when the role's loop runs."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        url = f"http://127.0.0.1:{self.ports[role]}/readyz"
        while time.monotonic() < deadline:
            code = self.running[role].poll()
            assert code is None, f"{role} ended with {code}: {self.said(role)}"
            with contextlib.suppress(OSError):
                if b'"started": true' in ask(url):
                    return
            time.sleep(0.02)
        raise AssertionError(f"{role} did not start: {self.said(role)}")

    def wait_until_settled(self) -> None:
        """Return when every click is durable, every sequence sent and every due list out."""
        config, deadline = self.config, time.monotonic() + DEADLINE_SECONDS
        clicks, sequences = config.log.clicks, config.log.sequences
        group = config.ingest.group
        while time.monotonic() < deadline:
            for role, process in self.running.items():
                assert process.poll() is None, f"{role} ended by itself: {self.said(role)}"
            ends = self.log.end_offsets(clicks)
            told = (
                self.log.saved_positions(group, clicks) == ends
                and self.log.saved_positions(f"{group}-sequences", clicks) == ends
                and self.log.saved_positions(config.publisher.group, sequences)
                == self.log.end_offsets(sequences)
            )
            if told and b'"ok": true' in ask(f"http://127.0.0.1:{self.ports['publisher']}/readyz"):
                return
            time.sleep(0.1)
        raise AssertionError(
            f"not settled: {self.log.saved_positions(group, clicks)} of {ends}; "
            + "; ".join(map(self.said, self.running))
        )


def ask(url: str) -> bytes:
    """Return what a role's HTTP server answers, also when it answers with an error."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback http
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        return error.read()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
