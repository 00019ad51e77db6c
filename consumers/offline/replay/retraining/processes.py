"""Processes that learn models, one each, a few at a time, beside the process that wants them."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Self

from consumers.exit_codes import EXPECTED_ERRORS
from consumers.offline.evaluation.environment import cores
from consumers.offline.replay.retraining.training import TrainingOrder, train
from gsr.errors import TrainingError

GRACE_SECONDS: Final = 5.0
"""A process that was asked to end and has not after so long is killed."""


class TrainingProcesses:
    """Learns models in the order in which they are given, with a process for each.

    Use it in a ``with`` block: no process outlives it, finished or not. Nor does one outlive this
    process, however that ends.

    Parameters
    ----------
    together
        How many processes run at once; None: one less than there are cores, at least one.
    """

    def __init__(self, together: int | None = None) -> None:
        self._together = together or max(1, cores() - 1)
        self._spawning = multiprocessing.get_context("spawn")
        self._lock = threading.Lock()
        self._running: set[BaseProcess] = set()
        self._ending = threading.Event()
        self._outcomes: dict[int, Future[None]] = {}

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(self._together, thread_name_prefix="retraining")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._ending.set()
            running = list(self._running)
        for process in running:
            process.terminate()
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def running(self) -> Sequence[BaseProcess]:
        """The processes that run now."""
        with self._lock:
            return tuple(self._running)

    def start(self, order: TrainingOrder) -> None:
        """Learn a model as soon as there is a process for it."""
        self._outcomes[order.files.number] = self._threads.submit(self._learn, order)

    def is_done(self, number: int) -> bool:
        """Return whether a model's files are there.

        Raises
        ------
        TrainingError
            Its process failed; says how.
        """
        outcome = self._outcomes.get(number)
        if outcome is None:
            return True
        if outcome.done():
            outcome.result()
            return True
        return False

    def _learn(self, order: TrainingOrder) -> None:
        """Run a process to its end, in a thread of its own."""
        # Ctrl-C reaches the whole group of processes; it is this one that ends the others.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        told, telling = self._spawning.Pipe(duplex=False)
        process = self._spawning.Process(target=_work, args=(order, telling), daemon=True)
        with self._lock:
            if self._ending.is_set():
                return
            process.start()
            self._running.add(process)
        telling.close()
        try:
            message = told.recv()
        except EOFError:
            message = None
        finally:
            told.close()
        process.join(GRACE_SECONDS)  # it has told all, or is gone
        if process.is_alive():
            process.kill()
            process.join()
        with self._lock:
            self._running.discard(process)
        if message != "" and not self._ending.is_set():
            killed = ", perhaps for want of memory" if process.exitcode == -signal.SIGKILL else ""
            why = message or f"its process ended with exit code {process.exitcode}{killed}"
            raise TrainingError(
                f"the model of the first {order.clicks:,} clicks could not be learned: {why}"
            )


def _work(order: TrainingOrder, telling: Connection) -> None:
    """Learn one model; tell why not, or nothing."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        train(order)
    except EXPECTED_ERRORS as error:
        telling.send(str(error))
        sys.exit(1)
    telling.send("")


def _end_with_parent() -> None:
    """Wait for the process that wants the model to be gone, killed perhaps, and end too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
