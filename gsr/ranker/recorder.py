"""Clicks on their way into the counters, each with its candidates from just before it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.counters import Counters
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.candidates import (
    MOST_CANDIDATES,
    Selection,
    Workspace,
    new_workspace,
    room_for_described,
)
from gsr.ranker.describe_and_add import (
    DESCRIBED_FULL,
    DONE,
    MORE_EDGES,
    Wanted,
    describe_and_add,
)
from gsr.ranker.learner import RankerLearner
from gsr.ranker.lookups import Lookups
from gsr.ranker.model import Kept, RankerModel, join_kept, kinds_of
from gsr.ranker.popular_items import PopularItems, list_again, no_popular_items

_DESCRIBED_AT_ONCE = 64
"""Users whose candidates are described at once: they stay in a cache."""

_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Clicks with their candidates, as things were just before each; r of them.

    Parameters
    ----------
    kept
        See `Kept`.
    lookups
        See `Lookups`.
    learnable
        bool [r], clicks of users of whom something is known.
    users
        uint64 [r], hashes of the user ids.
    """

    kept: Kept
    lookups: Lookups
    learnable: npt.NDArray[np.bool_]
    users: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.users)


class ClickRecorder:
    """Adds clicks to counters, and finds the candidates of wanted ones just before.

    Parameters
    ----------
    model
        Says which features there are, and chooses among candidates.
    counters
        Where clicks are added.
    mask_seen
        Whether what a user has seen is no candidate.

    Attributes
    ----------
    popular
        The most popular items, on every time scale.
    """

    def __init__(self, model: RankerModel, counters: Counters, *, mask_seen: bool) -> None:
        self._model = model
        self._counters = counters
        self._mask = mask_seen
        self.popular: PopularItems = no_popular_items(model.config.scales, model.config.listed)
        self._work: Workspace | None = None
        rows = _DESCRIBED_AT_ONCE * MOST_CANDIDATES
        self._described = room_for_described(_DESCRIBED_AT_ONCE, rows, model.layout.places.features)

    def list_again(self) -> None:
        """Find the most popular items anew: items have left, or counters were added to."""
        graph = self._counters.graph()
        list_again(self.popular, graph, graph.items)

    def record(
        self,
        applied: AppliedClicks,
        rows: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
        learner: RankerLearner | None,
    ) -> Recorded:
        """Add the edges and popularity of `applied` to the counters.

        Parameters
        ----------
        applied
            With histories; its buffers are counted already.
        rows
            int64 [r], accepted rows whose candidates are wanted.
        users
            uint64 [r], hashes of their user ids.
        learner
            Is told of all candidates; None: nobody is.
        """
        config, layout = self._model.config, self._model.layout
        raw = applied.histories(rows)
        readable = raw.recent(config.history_length, config.event_weights)
        record_of = np.full(applied.stop, -1, dtype=np.int64)
        record_of[rows] = np.arange(len(rows))
        wanted = Wanted(
            record_of,
            applied.user_slots,
            readable.items,
            readable.times,
            readable.lengths,
            raw.items,
            raw.lengths,
        )
        selection = Selection(
            layout.places,
            layout.offsets,
            layout.channels,
            layout.close_scales,
            self.popular,
            config.listed,
            self._counters.items.columns.fingerprints,
            _NOTHING,
            0,
        )
        work = self._workspace()
        counters = self._counters
        found: list[tuple[npt.NDArray[np.int64], Kept]] = []
        click, reason = applied.start, DESCRIBED_FULL
        self._described.counts[0] = 0
        while reason != DONE:
            click, reason = describe_and_add(
                wanted,
                self._mask,
                selection,
                work,
                self._described,
                counters.users.columns,
                counters.users.seen,
                *counters.edge_arguments(applied),
                click,
                applied.stop,
            )
            if reason == MORE_EDGES:
                # How full the arena is must not decide whose candidates are scored together.
                counters.reserve_edges()
            elif self._described.counts[0]:
                found.append(self._keep(learner))
                self._described.counts[0] = 0
        kept = self._in_order(found, len(rows))
        lookups = self._model.lookups(
            readable.items,
            readable.times,
            readable.lengths,
            readable.now,
            kept.candidates,
            applied.item_rows[rows],
        )
        return Recorded(kept, lookups, readable.lengths > 0, users)

    def _keep(self, learner: RankerLearner | None) -> tuple[npt.NDArray[np.int64], Kept]:
        """Choose the best of the candidates that were just described."""
        described = self._described
        n = int(described.counts[0])
        clicks = described.clicks[:n].copy()
        kept, linear = self._model.keep(described)
        if learner is not None:
            learner.linear.note_described(described, linear, kinds_of(kept.context))
        return clicks, kept

    def _in_order(self, found: list[tuple[npt.NDArray[np.int64], Kept]], count: int) -> Kept:
        """Return the candidates of all records; they were found in the order of the clicks."""
        if not found:
            width, features = self._model.config.kept, self._model.layout.places.features
            return Kept(
                np.zeros((0, width, features), dtype=np.float32),
                np.zeros((0, self._described.context.shape[1]), dtype=np.float32),
                np.zeros((0, width), dtype=np.int32),
                np.zeros(0, dtype=np.int64),
            )
        joined = join_kept([kept for _, kept in found])
        order = np.empty(count, dtype=np.int64)
        order[np.concatenate([clicks for clicks, _ in found])] = np.arange(count)
        return joined.part(order)

    def _workspace(self) -> Workspace:
        rows = len(self._counters.items.columns.alive)
        if self._work is None or len(self._work.votes.places) < rows:
            config = self._counters.config
            self._work = new_workspace(
                rows,
                self._model.layout,
                _all_scales(self._counters.graph()),
                row_slots=config.row_slots,
                history=self._model.config.history_length,
                fingerprints=config.seen_items,
            )
        return self._work


def _all_scales(graph: ItemGraph) -> int:
    """Return how many time scales there are, those of what is clicked close by included."""
    return len(graph.half_lives) + len(graph.close_half_lives)
