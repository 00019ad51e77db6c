"""Children are started, restarted, stopped, and never left behind."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from consumers.config.sections.process import ProcessSection
from consumers.errors import RoleFailedError
from consumers.runtime.supervisor import ChildSpec, Supervisor
from stream.clock import SystemClock

QUICK = ProcessSection(restarts=2, restart_backoff_seconds=0.01, stop_seconds=20.0)
WAITS = "import signal; print('up', flush=True); signal.pause()"
ENDS_ON_TERM = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    "print('up', flush=True); signal.pause()"
)


class Output:
    """Collects lines; `seen` waits for one."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str, line: str) -> None:
        with self._changed:
            self.lines.append((name, line))
            self._changed.notify_all()

    def count(self, name: str, line: str) -> int:
        return self.lines.count((name, line))


def child(name: str, code: str, *, may_finish: bool = False) -> ChildSpec:
    return ChildSpec(name=name, command=[sys.executable, "-c", code], may_finish=may_finish)


def run_until(children: list[ChildSpec], done: Callable[[Output], bool]) -> Output:
    """Supervise until `done` says so."""
    output, stop = Output(), threading.Event()

    def tick() -> None:
        if done(output):
            stop.set()

    Supervisor(children, QUICK, SystemClock(), output).run(stop, tick)
    return output


def test_children_run_until_told_to_stop() -> None:
    """Each line comes with the child's name; all end."""
    output = run_until(
        [child("one", ENDS_ON_TERM), child("two", ENDS_ON_TERM)],
        lambda output: output.count("one", "up") == output.count("two", "up") == 1,
    )
    assert sorted(output.lines) == [("one", "up"), ("two", "up")]


def test_a_crashed_child_is_started_again(tmp_path: Path) -> None:
    """It fails once, then runs."""
    mark = tmp_path / "mark"
    code = (
        f"import pathlib, sys; mark = pathlib.Path({str(mark)!r})\n"
        f"if not mark.exists(): mark.touch(); sys.exit(1)\n{WAITS}"
    )
    output = run_until([child("one", code)], lambda output: output.count("one", "up") == 1)
    assert output.lines == [("one", "up")]


def test_too_many_crashes_stop_everything() -> None:
    """The error names the child and its last words; the other child is gone."""
    output, others = Output(), set(psutil.Process().children())
    children = [child("bad", "import sys; sys.exit('no luck')"), child("good", WAITS)]
    with pytest.raises(RoleFailedError, match=r"(?s)bad .*exit code 1, 3 times.*no luck"):
        Supervisor(children, QUICK, SystemClock(), output).run(threading.Event())
    left = set(psutil.Process().children()) - others
    assert not [process for process in left if process.status() != "zombie"]


def test_some_failures_are_not_worth_a_restart() -> None:
    """A wrong setting stays wrong."""
    code = "import sys; print('error: wrong setting'); sys.exit(2)"
    with pytest.raises(RoleFailedError, match=r"(?s)ended with exit code 2; all .*wrong setting"):
        Supervisor([child("one", code)], QUICK, SystemClock(), Output()).run(threading.Event())


def test_a_killed_child_is_named_by_its_signal() -> None:
    """A kill -9 counts as a crash."""
    code = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(RoleFailedError, match="killed by signal 9"):
        Supervisor([child("one", code)], QUICK, SystemClock(), Output()).run(threading.Event())


def test_a_feeder_may_finish() -> None:
    """A child with a finite job is not started again."""
    ticks = iter(range(1000))
    output = run_until(
        [child("feeder", "print('fed')", may_finish=True), child("role", ENDS_ON_TERM)],
        lambda output: output.count("feeder", "fed") == 1 and next(ticks) > 3,
    )
    assert output.count("feeder", "fed") == 1


def test_a_deaf_child_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    """One that does not stop in time does not hold up the others for ever."""
    deaf = (
        "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\n"
        "while True: signal.pause()"
    )
    output, stop = Output(), threading.Event()
    section = ProcessSection(stop_seconds=0.1)

    def tick() -> None:
        if output.count("deaf", "up"):
            stop.set()

    Supervisor([child("deaf", deaf)], section, SystemClock(), output).run(stop, tick)
    assert "deaf did not stop" in caplog.text


@pytest.mark.slow
def test_no_role_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """After kill -9 of `gsr run` its children notice and end by themselves."""
    program = tmp_path / "run.py"
    program.write_text(
        "from consumers.runtime.all_roles import role_children, stopped_by_signals\n"
        "from consumers.runtime.supervisor import Supervisor\n"
        "from consumers.config.sections.process import ProcessSection\n"
        "from stream.clock import SystemClock\n"
        "flags = {'http.ingest_port': 0, 'log.url': 'embedded:log', 'state.directory': 'state'}\n"
        "children = [c for c in role_children(None, flags) if c.name == 'ingest']\n"
        "with stopped_by_signals() as stop:\n"
        "    Supervisor(children, ProcessSection(), SystemClock(),\n"
        "               lambda name, line: print(line, flush=True)).run(stop)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, str(program)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert supervisor.stdout is not None
    with supervisor.stdout:
        for line in supervisor.stdout:
            if re.search("ingest runs", line):
                break
        children = psutil.Process(supervisor.pid).children(recursive=True)
        assert children
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
        gone, alive = psutil.wait_procs(children, timeout=60)
    assert len(gone) == len(children)
    assert not alive
