"""The joint model: one item table, two encoders, direct channels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.config import ModelConfig
from gsr.histories import Histories
from gsr.item_graph import ItemGraph


@dataclass(frozen=True, slots=True)
class UserQueries:
    """What scoring needs of B users.

    Parameters
    ----------
    vectors
        float32 [B, d], to be multiplied with item vectors.
    channel_weights
        float32 [B, C], to be multiplied with channels (see `gsr.channels`).
    """

    vectors: npt.NDArray[np.float32]
    channel_weights: npt.NDArray[np.float32]


class JointModel:
    """The joint model.

    Parameters
    ----------
    config
        Its shape.
    seed
        Of the generator that draws the first weights and new item rows.
    """

    def __init__(self, config: ModelConfig, seed: int = 0) -> None:
        self.config = config
        self.seed = seed

    @property
    def items(self) -> int:
        """How many item rows the table has."""
        raise NotImplementedError

    def grow(self, graph: ItemGraph) -> int:
        """Add rows until there is one per item of `graph`; return how many were added.

        A new row starts at the mean of its graph neighbours' rows plus small noise.
        """
        raise NotImplementedError

    def renew(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        """Start `rows` afresh, because they now stand for other items (next generation)."""
        raise NotImplementedError

    def user_queries(self, histories: Histories, graph: ItemGraph) -> UserQueries:
        """Encode users; a pure function of its arguments and the weights.

        `histories` may be raw buffers: what may not be read is skipped (`Histories.recent`).
        A user without readable clicks gets the zero vector and popularity weights.
        """
        raise NotImplementedError

    def item_vectors(self, graph: ItemGraph, now: float) -> npt.NDArray[np.float32]:
        """Return the fused vector of every item row, float32 [N, d], with the graph at `now`."""
        raise NotImplementedError
