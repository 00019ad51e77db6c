"""The items of one partition with their counters, as they pass from a state to a model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph


@dataclass(frozen=True, slots=True)
class PartitionItems:
    """Items of one partition with their counters; row n of everything is one item.

    Parameters
    ----------
    ids
        N item ids, in the order of their indexes.
    indexes
        int64 [N], ascending: the partition's number of each item, never used twice.
    created_at
        float64 [N], time of the click that made the item known.
    graph
        Their counters; `neighbours` are rows of these items.
    """

    ids: list[str]
    indexes: npt.NDArray[np.int64]
    created_at: npt.NDArray[np.float64]
    graph: ItemGraph
