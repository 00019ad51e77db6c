"""A thread that works off what others ask of it, all that waits at a time."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

_LOGGER = logging.getLogger(__name__)

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_AT_ONCE: Final = 32


class TooBusyError(Exception):
    """So many wait already that one more would wait for too long."""


class BatchingThread(Generic[Question, Answer]):
    """Answers questions in batches: what waits while a batch is answered makes up the next one.

    Parameters
    ----------
    name
        Of the thread.
    answer
        Returns an answer, or the error to raise, for each of some questions, in their order. Called
        on the thread alone.
    most_waiting
        More are refused.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Question]], Sequence[Answer | Exception]],
        most_waiting: int,
    ) -> None:
        self._answer = answer
        self._most_waiting = most_waiting
        self._queue: SimpleQueue[tuple[Question, Future[Answer]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._queue.qsize()

    async def ask(self, question: Question) -> Answer:
        """Return the answer to a question; a caller who is cancelled is not answered.

        Raises
        ------
        TooBusyError
            Too many wait already.
        """
        if self._queue.qsize() >= self._most_waiting:
            raise TooBusyError
        future: Future[Answer] = Future()
        self._queue.put((question, future))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Answer what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._queue.get()]
            with contextlib.suppress(Empty):
                while len(batch) < MOST_AT_ONCE:
                    batch.append(self._queue.get_nowait())
            ended = None in batch
            asked = [entry for entry in batch if entry is not None and not entry[1].cancelled()]
            if asked:
                self._answer_all(asked)

    def _answer_all(self, asked: Sequence[tuple[Question, Future[Answer]]]) -> None:
        try:
            answers = self._answer([question for question, _ in asked])
        except Exception as error:
            _LOGGER.exception("%d requests failed", len(asked))
            answers = [error] * len(asked)
        for (_, future), answer in zip(asked, answers, strict=True):
            with contextlib.suppress(InvalidStateError):  # given up meanwhile
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
