"""What a learning loop asks of the model that it tests and learns."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.users.histories import Histories
from gsr.ranker.judge import Verdict
from gsr.ranker.learner import LearnReport


class StreamLearner(Protocol):
    """A model on the stream: it records clicks, ranks them, and learns them."""

    @property
    def waiting(self) -> int:
        """How many tested clicks wait to be learned."""

    def begin_chunk(self) -> None:
        """Prepare for clicks that are about to enter the counters."""

    def record(
        self,
        applied: AppliedClicks,
        rows: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> Any:
        """Add clicks to the counters, and note what was known before the wanted ones.

        Parameters
        ----------
        applied
            With histories; their buffers are counted, edges and popularity are not yet.
        rows
            int64 [r], accepted rows that are wanted.
        users
            uint64 [r], hashes of their user ids.

        Returns
        -------
        What `test` takes.
        """

    def test(self, recorded: Any, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Rank recorded clicks by the serving weights, and let them wait to be learned.

        Parameters
        ----------
        recorded
            What `record` returned, of r clicks.
        tested
            bool [r], whose ranks are asked for.

        Returns
        -------
        int32 [s], from 1; `MISS` for an item never clicked before.
        """

    def rank(
        self, histories: Histories, targets: npt.NDArray[np.int64], *, mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank targets, int64 [n] item rows, by weights and counters as they are; count none."""

    def learn(self, out_of_time: Callable[[], bool]) -> tuple[LearnReport, Verdict] | None:
        """Learn all clicks that wait and judge; None where none wait."""

    def drop_waiting(self, most: int = 0) -> int:
        """Let the oldest clicks that wait go until `most` are left; return how many went."""

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items, or for none, from now on."""

    def counters_changed(self) -> None:
        """Counters were added to, not by `record`."""

    def item_vectors(self) -> npt.NDArray[np.float32]:
        """Return the items' vectors, float32 [N, d]."""

    def lists(
        self, histories: Histories, length: int, *, mask_history: bool
    ) -> npt.NDArray[np.int64]:
        """Return item rows for n users, int64 [n, length], best first, -1 behind the last."""
