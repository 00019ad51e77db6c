"""Role processes on any log, several of a kind: to be killed, paused and watched."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from consumers.config.settings import GsrConfig
from tests.crash.pipeline import COMMANDS, ask, free_port

DEADLINE_SECONDS: Final = 180.0


@dataclass
class Member:
    """One process of a role.

    Parameters
    ----------
    name
        Unique in the fleet.
    role
        `ingest`, `trainer` or `publisher`.
    config
        Its configuration.
    output
        Where it prints to.
    """

    name: str
    role: str
    config: GsrConfig
    output: Path
    process: subprocess.Popen[bytes] | None = None
    paused: bool = False
    kills: int = 0
    ends: list[int] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Of its HTTP server."""
        return int(getattr(self.config.http, f"{self.role}_port"))

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return None if self.process is None else self.process.pid

    def start(self) -> None:
        """Start the real command."""
        values = self.config.model_dump(mode="json", exclude_defaults=True, exclude={"model"})
        flags = [
            f"{s}.{name}={value}" for s, some in values.items() for name, value in some.items()
        ]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "consumers.cli", COMMANDS[self.role]),
                    *(word for flag in flags for word in ("--set", flag)),
                ],
                stdout=output,
                stderr=output,
            )

    def look_after(self) -> None:
        """Start it again where it has ended by itself, as a supervisor does."""
        if self.process is not None and self.process.poll() is not None:
            self.ends.append(self.process.returncode)
            self.start()

    def kill(self) -> None:
        """End it as the kernel would when memory runs out."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process, self.paused = None, False
            self.kills += 1

    def pause(self) -> None:
        """Let it hang."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)
            self.paused = True

    def resume(self) -> None:
        """Undo `pause`."""
        if self.paused and self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
        self.paused = False

    def stop(self) -> int:
        """End it in order; return its exit code."""
        if self.process is None:
            return 0
        self.resume()
        self.process.terminate()
        code = self.process.wait(DEADLINE_SECONDS)
        self.process = None
        return code

    def said(self, characters: int = 3000) -> str:
        """Return the end of what it printed."""
        return self.output.read_text(errors="replace")[-characters:]

    def metrics(self) -> dict[str, float]:
        """Return its samples by name with labels; {} while it does not answer."""
        with contextlib.suppress(OSError):
            text = ask(f"http://127.0.0.1:{self.port}/metrics").decode()
            return {
                name: float(value)
                for name, value in re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
            }
        return {}

    def is_ready(self) -> bool:
        """Tell whether /readyz says so."""
        with contextlib.suppress(OSError):
            return b'"ok": true' in ask(f"http://127.0.0.1:{self.port}/readyz")
        return False

    def await_ready(self, seconds: float = DEADLINE_SECONDS) -> None:
        """Return when it is ready, starting it again where it ends by itself."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            self.look_after()
            assert time.monotonic() < deadline, f"{self.name} is not ready: {self.said()}"
            time.sleep(0.1)


class Fleet:
    """Members that share a log and an artifact store; each ingest has a state directory of its own.

    Parameters
    ----------
    root
        Where everything lies.
    url
        Of the log.
    roles
        What to run, one name per process: a role, or a role with a number, as in ``ingest-2``.
    settings
        Section to setting to value, on top of the defaults.
    """

    def __init__(
        self,
        root: Path,
        url: str,
        roles: Sequence[str],
        settings: Mapping[str, Mapping[str, Any]],
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        merged = {name: dict(section) for name, section in settings.items()}
        merged["log"] = {**merged.get("log", {}), "url": url}
        merged["artifacts"] = {**merged.get("artifacts", {}), "url": str(root / "artifacts")}
        self.config = GsrConfig().with_values(merged)
        self.members: dict[str, Member] = {}
        for name in roles:
            role = name.partition("-")[0]
            config = self.config.with_values(
                {"state": {"directory": root / name}, "http": {f"{role}_port": free_port()}}
            )
            self.members[name] = Member(name, role, config, root / f"{name}.log")

    def of(self, role: str) -> list[Member]:
        """Return the members of one role."""
        return [member for member in self.members.values() if member.role == role]

    def start(self) -> None:
        """Start everyone."""
        for member in self.members.values():
            member.start()

    def look_after(self) -> None:
        """Start again who has ended by itself."""
        for member in self.members.values():
            if not member.paused:
                member.look_after()

    def stop(self) -> dict[str, int]:
        """End everyone in order; return their exit codes."""
        return {name: member.stop() for name, member in self.members.items()}

    def abandon(self) -> None:
        """Leave no process behind, whatever happened."""
        for member in self.members.values():
            member.kill()
