"""`gsr run`: the roles as child processes, kept alive, ended in order."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.config.sections.process import ProcessSection
from consumers.errors import (
    ArtifactError,
    ConfigError,
    MissingClicksError,
    NotFoundError,
    PortBusyError,
    RoleFailedError,
    TooManyBadError,
)
from consumers.exit_codes import MODEL_EXIT_CODE, STATE_EXIT_CODE
from consumers.runtime.parent_watch import SUPERVISOR_VARIABLE
from stream.clock import Clock

_logger = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.1
_REMEMBERED_LINES: Final = 5
HOPELESS: Final = frozenset(
    (
        ArtifactError.exit_code,
        ConfigError.exit_code,
        MissingClicksError.exit_code,
        NotFoundError.exit_code,
        PortBusyError.exit_code,
        MODEL_EXIT_CODE,
        STATE_EXIT_CODE,
        TooManyBadError.exit_code,
    )
)
"""Exit codes that a restart cannot mend."""

OutputLine = Callable[[str, str], None]
"""Takes a child's name and one line that it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A child process.

    Parameters
    ----------
    name
        Shown before each of its lines.
    command
        Program and arguments.
    environment
        Variables on top of this process's own.
    may_finish
        Ending with exit code 0 is fine: it had a finite job.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    may_finish: bool = False


def gsr_command(*arguments: str) -> list[str]:
    """Return the command that runs this installation's `gsr` with `arguments`."""
    return [sys.executable, "-m", "consumers.cli", *arguments]


class Supervisor:
    """Starts children, restarts the crashed, and stops all of them.

    A child that crashes is started again after a pause that doubles; after too many crashes, or
    an exit code that says that a restart cannot help, all stop. Children notice by themselves
    when the supervisor is killed (see `consumers.runtime.parent_watch`).

    Parameters
    ----------
    children
        In starting order; they stop in the same order, all feeders before all roles.
    section
        Restart and stop limits.
    clock
        Times the limits.
    output
        Told every line that a child prints; called from several threads.
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        section: ProcessSection,
        clock: Clock,
        output: OutputLine,
    ) -> None:
        self._section = section
        self._clock = clock
        self._children = [_Child(spec, section, clock, output) for spec in children]

    def run(self, stop: threading.Event, tick: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set, calling `tick` about ten times a second.

        Raises
        ------
        RoleFailedError
            A child failed for good; all were stopped.
        """
        try:
            for child in self._children:
                child.start()
            while not stop.wait(_POLL_SECONDS):
                for child in self._children:
                    child.look_after()
                tick()
        finally:
            self._stop()

    def _stop(self) -> None:
        feeders = [child for child in self._children if child.spec.may_finish]
        roles = [child for child in self._children if not child.spec.may_finish]
        for group in (feeders, roles):
            for child in group:
                child.terminate()
            deadline = self._clock.monotonic() + self._section.stop_seconds
            for child in group:
                child.wait(max(0.0, deadline - self._clock.monotonic()))


class _Child:
    def __init__(
        self, spec: ChildSpec, section: ProcessSection, clock: Clock, output: OutputLine
    ) -> None:
        self.spec = spec
        self._section = section
        self._clock = clock
        self._output = output
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._last_lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self._crashes: deque[float] = deque()
        self._restart_at: float | None = None
        self._finished = False

    def start(self) -> None:
        self._restart_at = None
        self._last_lines.clear()
        self._process = subprocess.Popen(  # noqa: S603  # our own program, no shell
            list(self.spec.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                **self.spec.environment,
                SUPERVISOR_VARIABLE: str(os.getpid()),
            },
            # Its own group: Ctrl-C reaches the supervisor alone, which then stops all in order.
            process_group=0,
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), name=f"output-{self.spec.name}", daemon=True
        )
        self._reader.start()

    def look_after(self) -> None:
        """Start it again if it crashed; raise RoleFailedError where that is hopeless."""
        if self._restart_at is not None:
            if self._clock.monotonic() >= self._restart_at:
                self.start()
            return
        if self._process is None or self._finished:
            return
        code = self._process.poll()
        if code is None:
            return
        self._join_reader()
        if code == 0 and self.spec.may_finish:
            self._finished = True
            return
        self._crashed(code)

    def terminate(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            _logger.warning(
                "%s did not stop within %.0f s: killed. Nothing is lost, it will read again what "
                "it had not saved.",
                self.spec.name,
                self._section.stop_seconds,
            )
            self._process.kill()
            self._process.wait()
        self._join_reader()

    def _crashed(self, code: int) -> None:
        now = self._clock.monotonic()
        while self._crashes and now - self._crashes[0] > self._section.restart_window_seconds:
            self._crashes.popleft()
        self._crashes.append(now)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = "\n".join(f"  {line}" for line in self._last_lines)
        said = f"; it last said:\n{last}" if last else ""
        if code in HOPELESS:
            raise RoleFailedError(f"{self.spec.name} {how}; all stopped{said}")
        if len(self._crashes) > self._section.restarts:
            raise RoleFailedError(
                f"{self.spec.name} {how}, {len(self._crashes)} times within "
                f"{self._section.restart_window_seconds:.0f} s; all stopped{said}"
            )
        pause = self._section.restart_backoff_seconds * 2 ** (len(self._crashes) - 1)
        _logger.warning("%s %s; starting it again in %.1f s", self.spec.name, how, pause)
        self._restart_at = now + pause

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout:
            for line in process.stdout:
                text = line.rstrip("\n")
                self._last_lines.append(text)
                self._output(self.spec.name, text)

    def _join_reader(self) -> None:
        if self._reader is not None:
            # A grandchild may hold the pipe open: what counts has been read by then.
            self._reader.join(timeout=1.0)
