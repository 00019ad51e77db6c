"""Processes that learn models: none outlives its purpose, no failure stays unheard."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from consumers.offline.evaluation.environment import cores
from consumers.offline.replay.retraining.model_files import ModelFiles
from consumers.offline.replay.retraining.processes import TrainingProcesses
from gsr.errors import TrainingError
from tests.consumers.offline.replay.retraining.world import order_in

ENDLESS = 1_000_000


def eventually(holds: Callable[[], bool]) -> None:
    """Look again and again, for as long as the suite may take."""
    while not holds():
        threading.Event().wait(0.01)


def running(processes: TrainingProcesses) -> BaseProcess:
    """Return the process that runs, once it does."""
    eventually(lambda: bool(processes.running))
    return processes.running[0]


def test_no_process_outlives_the_block(tmp_path: Path) -> None:
    """Ctrl-C ends the one that runs; the next one never begins, and no model is there."""
    orders = [
        order_in(tmp_path, files=ModelFiles(tmp_path, number), passes=ENDLESS)
        for number in range(2)
    ]
    with suppress(KeyboardInterrupt), TrainingProcesses(together=1) as processes:
        for order in orders:
            processes.start(order)
        process = running(processes)
        assert not processes.is_done(0)
        raise KeyboardInterrupt
    assert not process.is_alive()
    assert not processes.running
    assert [order.files.learned() for order in orders] == [None, None]
    assert [path.name for path in tmp_path.iterdir()] == ["clicks.parquet"]


def test_a_process_that_dies_ends_the_wait_with_an_error(tmp_path: Path) -> None:
    """Killed, as when memory runs out: the message says which model and how."""
    with TrainingProcesses(together=1) as processes:
        processes.start(order_in(tmp_path, passes=ENDLESS))
        os.kill(running(processes).pid or 0, signal.SIGKILL)
        with pytest.raises(TrainingError, match=r"first 400 clicks could .* exit code -9, per"):
            eventually(lambda: processes.is_done(0))


def test_models_are_learned_and_errors_are_told(tmp_path: Path) -> None:
    """One process leaves its model, the other says why there is none."""
    good = order_in(tmp_path / "good")
    bad = order_in(tmp_path / "bad", files=ModelFiles(tmp_path / "bad", 1), shape={"width": 3})
    with TrainingProcesses(together=2) as processes:
        processes.start(good)
        processes.start(bad)
        with pytest.raises(TrainingError, match=r"shape of the retrained model.*width"):
            eventually(lambda: processes.is_done(1))
        eventually(lambda: processes.is_done(0))
    learned = good.files.learned()
    assert learned is not None
    assert good.files.read()[0].items > 0
    assert processes.is_done(7)  # nobody ordered it: it was there before


def test_all_cores_but_one_learn() -> None:
    """The replay needs one itself."""
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.slow
def test_a_killed_replay_leaves_no_process(tmp_path: Path) -> None:
    """`kill -9` gives nobody the time to end anything."""
    order_in(tmp_path)
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.consumers.offline.replay.retraining.world import order_in\n"
        "from tests.consumers.offline.replay.retraining.test_processes import running\n"
        "from consumers.offline.replay.retraining.processes import TrainingProcesses\n"
        "if __name__ == '__main__':\n"
        "    with TrainingProcesses(together=1) as processes:\n"
        f"        processes.start(order_in(Path(sys.argv[1]), passes={ENDLESS}))\n"
        "        print(running(processes).pid, flush=True)\n"
        "        time.sleep(600)\n"
    )
    path = tmp_path / "program.py"
    path.write_text(program)
    with subprocess.Popen(
        [sys.executable, str(path), str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    def gone() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"

    eventually(gone)
