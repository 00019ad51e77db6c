"""Interface of a scorer, and the scorer that serves before there is a model.

Imports no torch.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.encoded import UserQueries
from gsr.votes.channels import channel_count


class Scorer(Protocol):
    """The learned part of the score, ready for the rows of one view."""

    @property
    def version(self) -> int:
        """The model's version, 0 without a model."""
        ...

    @property
    def history_length(self) -> int:
        """How many of a user's newest readable clicks `queries` wants."""
        ...

    @property
    def channel_history(self) -> int:
        """How many of the newest clicks vote in the graph channels."""
        ...

    @property
    def channel_decay(self) -> float:
        """By how much less each step back counts."""
        ...

    @property
    def item_vectors(self) -> npt.NDArray[np.float32]:
        """float32 [N', d]; rows past N' have none."""
        ...

    def queries(self, histories: Histories, graph: ItemGraph) -> UserQueries:
        """Encode users with readable histories."""
        ...


class CounterScorer:
    """Version 0: popularity and the item graph, mixed by fixed weights, equal over time scales.

    Parameters
    ----------
    config
        Says how the graph channels read a history.
    graph_weight
        Share of the graph in the score, 0 to 1; the rest is popularity.
    """

    version = 0

    def __init__(self, config: ModelConfig, graph_weight: float) -> None:
        scales = config.scales
        self._weights = np.zeros(channel_count(scales), dtype=np.float32)
        self._weights[:scales] = (1.0 - graph_weight) / scales  # popularity comes first
        self._weights[scales : 3 * scales] = graph_weight / scales  # then what the clicks voted
        self.history_length = config.channel_history
        self.channel_history = config.channel_history
        self.channel_decay = config.channel_decay
        self.item_vectors = np.zeros((0, 1), dtype=np.float32)

    def queries(self, histories: Histories, graph: ItemGraph) -> UserQueries:  # noqa: ARG002 - the protocol's
        """Return the same weights for everyone."""
        count = len(histories)
        return UserQueries(
            np.zeros((count, 1), dtype=np.float32), np.tile(self._weights, (count, 1))
        )
