"""A trained model as a scorer.

Imports torch, which takes seconds: import this once there is a model.
"""

import numpy as np
import numpy.typing as npt

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import decode_snapshot
from consumers.serving.view import ServingView
from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.encoded import EncodedItems, UserQueries
from gsr.network.model import JointModel


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


def read_scorer(artifact: Artifact, version: int, config: ModelConfig) -> ModelScorer:
    """Return the scorer of a snapshot.

    Raises
    ------
    SnapshotError
        It is torn, of another format, or of another configuration than `config`.
    """
    model, generations = decode_snapshot(artifact.tensors, artifact.metadata, config)
    return ModelScorer(model, version, generations)
