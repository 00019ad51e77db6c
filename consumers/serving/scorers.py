"""What turns histories into scores: a trained model, or fixed weights before there is one."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from consumers.serving.view import ServingView
from gsr.channels import channel_count
from gsr.config import ModelConfig
from gsr.histories import Histories
from gsr.item_graph import ItemGraph
from gsr.model import EncodedItems, JointModel, UserQueries


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


class ModelScorer:
    """A snapshot, brought up to the rows of the current view.

    Parameters
    ----------
    model
        The snapshot's model; it is grown in place.
    version
        The snapshot's version.
    generations
        int64 [N'], the generation of each of the model's rows.
    """

    def __init__(self, model: JointModel, version: int, generations: npt.NDArray[np.int64]) -> None:
        self._model = model
        self._generations = generations
        self.version = version
        self.history_length = model.config.history_length
        self.channel_history = model.config.channel_history
        self.channel_decay = model.config.channel_decay
        self.item_vectors = np.zeros((0, model.config.dimension), dtype=np.float32)
        self._items: EncodedItems | None = None

    @property
    def items(self) -> int:
        """How many item rows the model has."""
        return self._model.items

    def follow(self, view: ServingView) -> None:
        """Give new items their first vectors, and all items theirs from the live graph.

        The view must have at least as many rows as the model.
        """
        known = len(self._generations)
        renewed = np.flatnonzero(view.generations[:known] > self._generations)
        self._model.grow(view.graph)
        if len(renewed):
            self._model.renew(renewed, view.graph)
        self._generations = np.concatenate(
            [np.maximum(self._generations, view.generations[:known]), view.generations[known:]]
        )
        self._items = self._model.encode_items(view.graph)
        self.item_vectors = self._items.fused

    def queries(self, histories: Histories, graph: ItemGraph) -> UserQueries:
        """Encode users."""
        return self._model.user_queries(histories, graph, items=self._items)
