"""Interface of a scorer, and the scorer that serves before there is a model."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from consumers.serving.view import ServingView
from gsr.counters.users.histories import Histories
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
from gsr.ranker.asking import Explained, UserLists
from gsr.ranker.explaining import GRAPH, SEQUENCE
from gsr.ranking.retrieval import top_k
from gsr.reasons.explained_list import Answers
from gsr.votes.channels import (
    candidate_features,
    channel_count,
    channel_names,
    clear_channels,
    graph_channel_count,
    graph_channels,
)
from gsr.votes.constants import NEVER
from gsr.votes.popularity import popularity_levels

HISTORY: Final = 32
"""How many of the newest clicks vote before there is a model."""

HISTORY_DECAY: Final = 0.95
"""By how much less each step back counts."""


class Scorer(Answers, Protocol):
    """Ranks the items of one view at a time, and can say why."""

    @property
    def version(self) -> int:
        """The model's version, 0 without a model."""
        ...

    @property
    def history_length(self) -> int:
        """How many of a user's newest readable clicks are read."""
        ...

    def follow(self, view: ServingView, blocked: npt.NDArray[np.bool_]) -> None:
        """Rank the items of `view` from now on, and never list those of `blocked`, bool [N]."""
        ...

    def block(self, blocked: npt.NDArray[np.bool_]) -> None:
        """List no items of `blocked`, bool [N], from now on."""
        ...


class CounterScorer:
    """Version 0: popularity and the item graph, mixed by fixed weights, equal over time scales.

    The parts of a score are what each channel adds to it (`gsr.votes.channels`).

    Parameters
    ----------
    graph_weight
        Share of the graph in the score, 0 to 1; the rest is popularity.
    """

    version = 0
    history_length = HISTORY

    def __init__(self, graph_weight: float) -> None:
        self._graph_weight = graph_weight

    def follow(self, view: ServingView, blocked: npt.NDArray[np.bool_]) -> None:
        """Rank the items of `view` from now on, and never list those of `blocked`, bool [N]."""
        self._graph = view.graph
        self._levels = np.full((len(view), view.graph.scales), NEVER, dtype=np.float64)
        popularity_levels(self._graph, self._levels)
        self._weights = channel_weights(view.graph.scales, self._graph_weight)
        self._blocked = blocked

    def block(self, blocked: npt.NDArray[np.bool_]) -> None:
        """List no items of `blocked`, bool [N], from now on."""
        self._blocked = blocked

    def lists(self, users: Asked, length: int) -> UserLists:
        """Return the best `length` items of each user."""
        count = len(users.lengths)
        best = top_k(
            np.zeros((count, 1), dtype=np.float32),
            np.tile(self._weights, (count, 1)),
            np.zeros((0, 1), dtype=np.float32),
            self._graph,
            self._levels,
            Histories(
                users.items,
                users.times,
                np.zeros(users.items.shape, dtype=np.uint8),
                users.lengths,
                users.now,
            ),
            _masks(users),
            length,
            history=HISTORY,
            decay=HISTORY_DECAY,
            blocked=self._blocked,
        )
        return UserLists(best.rows, np.where(best.rows >= 0, best.scores, np.float32(0.0)))

    def scores(self, users: Asked, items: npt.NDArray[np.int64]) -> Floats:
        """Return each user's scores of exactly these items, -inf for one they may not get."""
        rows = np.tile(items, (len(users.lengths), 1))
        found: Floats = self._channels(users, rows) @ self._weights
        found[:, self._blocked[items] | ~self._graph.alive[items]] = -np.inf
        for scores, masked in zip(found, _masks(users), strict=True):
            scores[np.isin(items, masked)] = -np.inf
        return found

    def explain(self, users: Asked, length: int) -> Explained:
        """Return the same lists, and what each channel adds to the scores."""
        lists = self.lists(users, length)
        scales = self._graph.scales
        channels = self._weights * self._channels(users, lists.rows)
        parts = {
            name: channels[:, :, column]
            for column, name in enumerate(channel_names(scales))
            if self._weights[column] > 0.0
        }
        graph = channels[:, :, scales:].sum(axis=2)
        return Explained(lists, parts, {SEQUENCE: np.zeros_like(graph), GRAPH: graph})

    def _channels(self, users: Asked, rows: npt.NDArray[np.int64]) -> Floats:
        """Return the channels of items [n, K], one row a user, float32 [n, K, C]."""
        scales, items = self._graph.scales, self._graph.items
        dense = np.zeros((items, graph_channel_count(scales)), dtype=np.float32)
        touched = np.zeros(items + 1, dtype=np.int64)
        out = np.zeros((*rows.shape, channel_count(scales)), dtype=np.float32)
        for i, now in enumerate(users.now.tolist()):
            count = graph_channels(
                self._graph,
                self._levels,
                users.items[i],
                int(users.lengths[i]),
                now,
                HISTORY,
                HISTORY_DECAY,
                dense,
                touched,
            )
            candidate_features(self._levels, self._graph.half_lives, now, dense, rows[i], out[i])
            clear_channels(dense, touched, count)
        return out


def _masks(users: Asked) -> list[npt.NDArray[np.int64]]:
    """Return the rows that each user may not get."""
    return np.split(users.masked, users.mask_starts[1:-1])


def channel_weights(scales: int, graph_weight: float) -> Floats:
    """Return the fixed weight of each channel, float32 [C].

    >>> channel_weights(1, 0.25).tolist()
    [0.75, 0.25, 0.25, 0.0, 0.0]
    """
    weights = np.zeros(channel_count(scales), dtype=np.float32)
    weights[:scales] = (1.0 - graph_weight) / scales  # popularity comes first
    weights[scales : 3 * scales] = graph_weight / scales  # then what the clicks voted
    return weights
