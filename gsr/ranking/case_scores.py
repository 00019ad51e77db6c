"""Joint scores of cases: products with user vectors, and the channels of a click graph."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.counters.interactions import Interactions
from gsr.learning.history_windows import pack_windows
from gsr.network.fusion import Trust
from gsr.network.model import JointModel, as_clicks
from gsr.quality.protocols import Cases
from gsr.votes.channels import context_count
from gsr.votes.click_graph import ClickGraph
from gsr.votes.popularity import channels_of_counts
from gsr.votes.position_features import PositionFeatures, PositionReader

TOGETHER: Final = 256
CLICKS_TOGETHER: Final = 8192
"""Cases that are encoded at once, and their clicks, at most: attention fits into the cache."""


@dataclass(frozen=True, slots=True)
class LinearScores:
    """Scores of m cases as products with `CaseScores.columns`, and what is added to some.

    Parameters
    ----------
    rows
        float32 [m, d + 1 + T].
    entries, values
        int64 [K] in memory and float32 [K]: ``values`` are added at the distinct, ascending flat
        places ``entries``, which are ``row * N + item``.
    """

    rows: Tensor
    entries: npt.NDArray[np.int64]
    values: Tensor


class CaseScores:
    """Joint scores with one click graph; keeps its working memory.

    Parameters
    ----------
    model
        Whose network encodes, and whose settings count.
    interactions
        All clicks.
    counted
        The graph. What a case's user has added to it is left out.
    source_power
        See `PositionReader`.
    """

    def __init__(
        self,
        model: JointModel,
        interactions: Interactions,
        counted: ClickGraph,
        source_power: float,
    ) -> None:
        self._model = model
        self._scales = model.config.scales
        self._interactions = interactions
        self._moments = len(counted.recent.moments)
        self._reader = PositionReader(
            interactions,
            counted,
            model.config.channel_history,
            model.config.channel_decay,
            source_power,
        )
        ever = channels_of_counts(counted.graph.popularity[:, :1])
        recent = channels_of_counts(counted.recent.counts).T
        self._levels = model.tensor(np.concatenate((ever, recent), axis=1))

    def columns(self, items: Tensor) -> Tensor:
        """Return fused item vectors [N, d] and popularity channels side by side."""
        return torch.cat((items, self._levels), dim=1)

    def features(self, cases: Cases) -> PositionFeatures:
        """Return the channels and context of m cases; valid until the next call."""
        return self._reader.read(cases.users, cases.positions, np.full(len(cases), -1))

    def linear(self, vectors: Tensor, features: PositionFeatures, trust: Trust) -> LinearScores:
        """Return the joint scores of m cases.

        Parameters
        ----------
        vectors
            [m, d], see `encode_cases`.
        features
            Of the same cases.
        trust
            How far each part is to be trusted.
        """
        weights, scales, tensor = trust.channels, self._scales, self._model.tensor
        # The first popularity channel is that of all clicks, the second that of a case's moment.
        moments = tensor(features.moments)[:, None]
        recent = weights.new_zeros(len(vectors), self._moments)
        recent = recent.scatter(1, moments, weights[:, 1:2])
        graph = weights[:, scales:].index_select(0, tensor(features.rows))
        places = features.rows * self._interactions.item_count + features.items
        order = np.argsort(places, kind="stable")
        added = (tensor(features.values) * graph).sum(dim=1)
        return LinearScores(
            torch.cat((trust.gains * vectors, weights[:, :1], recent), dim=1),
            places[order],
            added.index_select(0, tensor(order)),
        )


def encode_cases(
    model: JointModel,
    interactions: Interactions,
    cases: Cases,
    items: Tensor,
    propagated: Tensor | None = None,
) -> Tensor:
    """Return user vectors as of each of m cases, [m, d].

    Parameters
    ----------
    model
        Encodes.
    interactions, cases
        The users' clicks, and which moments.
    items, propagated
        [N, d], fused and graph vectors of all items; None where the graph encoder is off.
    """
    length, scales = model.config.history_length, model.config.scales
    found = items.new_zeros(len(cases), items.shape[1])
    for rows in by_length(interactions, cases, length):
        users, positions = cases.users[rows], cases.positions[rows]
        firsts = np.maximum(interactions.starts[users], positions - length)
        packed = pack_windows(interactions, firsts, positions).packed
        nothing = np.zeros((len(rows), context_count(scales)), np.float32)
        clicks = as_clicks(packed, packed.items, nothing).to(items.device)
        found[model.tensor(rows)] = model.network.encode(items, propagated, clicks).vectors
    return found


def by_length(
    interactions: Interactions, cases: Cases, longest: int
) -> list[npt.NDArray[np.int64]]:
    """Return the rows of all cases in parts of like history length, so that little is padding.

    Histories are read as far back as `longest` clicks.
    """
    lengths = np.minimum(cases.history_lengths(interactions), longest)
    order = np.argsort(lengths, kind="stable")
    filled = lengths[order].cumsum() // CLICKS_TOGETHER
    full = np.flatnonzero(np.diff(filled)) + 1
    bounds = np.union1d(full, np.arange(TOGETHER, len(order), TOGETHER))
    return [np.sort(part) for part in np.split(order, bounds)]
