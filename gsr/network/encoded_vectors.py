"""The ranker's learned features from encoders that learned elsewhere: u·e and e₁·e.

The counterpart of `gsr.ranker.vectors.vector_features`, whose vectors the ranker learns itself.
"""

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.encoded import EncodedItems
from gsr.network.model import JointModel
from gsr.ranker.adam import Floats
from gsr.ranker.lookups import Lookups
from gsr.ranker.vectors.vector_features import product_features


class EncodedVectors:
    """Features of candidates by a `JointModel` that stands still while counters go on.

    Parameters
    ----------
    model
        Its item rows are those of the counters. It reads one kind of events.
    graph
        The counters; items that the model has no rows for begin near their neighbours.
    """

    def __init__(self, model: JointModel, graph: ItemGraph) -> None:
        self.model = model
        self._items = self._encoded(graph)

    @property
    def items(self) -> Floats:
        """float32 [N, d], the items' vectors."""
        return self._items.fused

    def grow(self, graph: ItemGraph) -> None:
        """Give the items that have come since their rows."""
        if self.model.items < graph.items:
            self._items = self._encoded(graph)

    def renew(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        """Begin `rows` afresh, because they stand for other items from now on."""
        self.model.renew(rows, graph)
        self._items = self._encoded(graph)

    def features(self, lookups: Lookups) -> Floats:
        """Return the features of candidates, float32 [n, K, 2]; 0 where there is none."""
        if len(self.items) == 0:
            return np.zeros((*lookups.candidates.shape, 2), dtype=np.float32)
        users = self.model.user_vectors(histories_of(lookups), self._items)
        newest = lookups.recent[:, :1]
        known = (newest >= 0) & (newest < len(self.items))
        last = np.where(known, self.items[np.where(known, newest, 0)[:, 0]], np.float32(0.0))
        asked = np.stack((users, last), axis=1)
        return product_features(self.items, len(self.items), lookups.candidates, asked)

    def _encoded(self, graph: ItemGraph) -> EncodedItems:
        self.model.grow(graph)
        return self.model.encode_items(graph)


def histories_of(lookups: Lookups) -> Histories:
    """Return the clicks that features are computed from, oldest first; 0 is now."""
    count, length = lookups.recent.shape
    lengths = (lookups.recent >= 0).sum(axis=1)
    back = lengths[:, None] - 1 - np.arange(length)
    there, places = back >= 0, np.maximum(back, 0)
    items = np.take_along_axis(lookups.recent, places, axis=1)
    ages = np.take_along_axis(lookups.ages, places, axis=1)
    return Histories(
        np.where(there, items, -1).astype(np.int64),
        np.where(there, -ages.astype(np.float64), 0.0),
        np.zeros((count, length), dtype=np.uint8),
        lengths.astype(np.int64),
        np.zeros(count),
    )
