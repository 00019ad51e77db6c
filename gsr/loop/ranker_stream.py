"""The ranker on the stream: what a learning loop tests and learns."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.counters import Counters
from gsr.counters.users.histories import Histories
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.asked_users import Asked, asked
from gsr.ranker.asking import Asker, ranks_by
from gsr.ranker.config import RankerLearning
from gsr.ranker.judge import Verdict
from gsr.ranker.learner import LearnReport, RankerLearner
from gsr.ranker.model import RankerModel
from gsr.ranker.network import log_weights_of
from gsr.ranker.ranked_clicks import RankedClicks, thin_out
from gsr.ranker.recorder import ClickRecorder, Recorded

USERS_AT_ONCE = 512
"""Users who are ranked together: bounds the memory of their candidates."""


class RankerStream:
    """A ranker on a stream of clicks: it records, ranks and learns them.

    Parameters
    ----------
    model
        Learned in place; it also ranks.
    learning
        How it learns.
    counters
        The live ones.
    mask_seen
        Whether what a user has seen is left out of rankings.

    Attributes
    ----------
    model, learner
        The model, and what learns it.
    recorder
        Finds candidates.
    """

    def __init__(
        self,
        model: RankerModel,
        learning: RankerLearning,
        counters: Counters,
        *,
        mask_seen: bool,
    ) -> None:
        self.model = model
        self.learner = RankerLearner(model, learning)
        self.recorder = ClickRecorder(model, counters, mask_seen=mask_seen)
        self._counters = counters

    @property
    def waiting(self) -> int:
        """How many tested clicks wait to be learned."""
        return self.learner.waiting

    def begin_chunk(self) -> None:
        """Prepare for clicks that are about to enter the counters.

        Here is nothing to do: features are of each click's own moment.
        """

    def record(
        self,
        applied: AppliedClicks,
        rows: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> Recorded:
        """Add clicks to the counters, and find the candidates of the wanted ones before.

        Parameters
        ----------
        applied
            With histories; their buffers are counted, edges and popularity are not yet.
        rows
            int64 [r], accepted rows that are wanted.
        users
            uint64 [r], hashes of their user ids.
        """
        self.learner.grow(self._counters.items.used)
        return self.recorder.record(applied, rows, users, self.learner)

    def test(self, recorded: Recorded, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Rank recorded clicks by the serving weights, and let them wait to be learned.

        Parameters
        ----------
        recorded
            r clicks.
        tested
            bool [r], the s clicks whose ranks are asked for.

        Returns
        -------
        int32 [s], from 1; `MISS` for an item that is not among the candidates that were kept.
        """
        ranks = np.full(len(recorded), MISS, dtype=np.int32)
        for first in range(0, len(recorded), USERS_AT_ONCE):
            rows = np.arange(first, min(first + USERS_AT_ONCE, len(recorded)))
            some = rows[tested[rows] | recorded.learnable[rows]]
            kept, lookups = recorded.kept.part(some), recorded.lookups.part(some)
            features = self.model.features(kept, lookups)
            scores = self.model.scores(features, kept.context)
            ranks[some] = ranks_by(scores + self.model.boosts(kept.values), kept)
            learnable = np.flatnonzero(recorded.learnable[some])
            self.learner.add(
                thin_out(
                    RankedClicks(
                        features[learnable],
                        kept.context[learnable],
                        log_weights_of(kept.present[learnable]),
                        kept.targets[learnable],
                        lookups.part(learnable),
                        recorded.users[some[learnable]],
                    ),
                    scores[learnable],  # learning knows no boosts
                    self.learner.learning.candidates,
                )
            )
        return ranks[tested]

    def rank(
        self, histories: Histories, targets: npt.NDArray[np.int64], *, mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank targets, int64 [n] item rows, by weights and counters as they are; count none."""
        return self._asker(1, mask_history=mask_history).ranks(
            self._asked(histories, mask_history, targets)
        )

    def learn(self, out_of_time: Callable[[], bool]) -> tuple[LearnReport, Verdict] | None:
        """Learn all clicks that wait and judge; None where none wait."""
        return self.learner.learn(out_of_time)

    def drop_waiting(self, most: int = 0) -> int:
        """Let the oldest clicks that wait go until `most` are left; return how many went."""
        return self.learner.drop_waiting(most)

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items, or for none, from now on."""
        self.learner.renew(rows)
        self.recorder.list_again()

    def counters_changed(self) -> None:
        """Counters were added to, not by `record`."""
        self.recorder.list_again()

    def adopt(self, model: RankerModel, rows: npt.NDArray[np.int64]) -> None:
        """Go on from another model's weights, of the same configuration.

        Parameters
        ----------
        model
            The other one.
        rows
            int64 [n], item rows that stand for the same items in both; the others' vectors stay.
        """
        self.model.adopt(model, rows)
        self.learner.begin_again()

    def item_vectors(self) -> npt.NDArray[np.float32]:
        """Return the items' vectors, float32 [N, d]; zeros, [N, 1], where there are none."""
        if self.model.vectors is None:
            return np.zeros((self._counters.items.used, 1), dtype=np.float32)
        self.learner.grow(self._counters.items.used)
        return self.model.vectors.items.values

    def lists(
        self, histories: Histories, length: int, *, mask_history: bool
    ) -> npt.NDArray[np.int64]:
        """Return item rows for n users, int64 [n, length], best first, -1 behind the last."""
        asker = self._asker(length, mask_history=mask_history)
        return asker.lists(self._asked(histories, mask_history), length).rows

    def _asker(self, length: int, *, mask_history: bool) -> Asker:
        return Asker(
            self.model,
            self._counters.graph(),
            row_slots=self._counters.config.row_slots,
            repeats=not mask_history,
            length=length,
            popular=self.recorder.popular,
        )

    def _asked(
        self,
        histories: Histories,
        mask_history: bool,
        targets: npt.NDArray[np.int64] | None = None,
    ) -> Asked:
        config = self.model.config
        readable = histories.recent(config.history_length, config.event_weights)
        masked = histories.items if mask_history else histories.items[:, :0]
        return asked(readable, histories.lengths, list(masked), targets)
