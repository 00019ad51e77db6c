"""Finds items by how their ids begin, the most popular first."""

from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.serving.recommender import Recommender
from gsr.ranker.edge_counts import popularity_counts
from gsr.ranker.features import DAY_SECONDS, nearest_scale
from gsr.ranker.popular_items import by_popularity

SEARCHED_ITEMS: Final = 10_000
"""Most popular items that are looked through; any other is found by its whole id."""


class ItemSearch:
    """Looks through the most popular items of a view; which these are is found once per view."""

    def __init__(self) -> None:
        self._view: object = None
        self._scale = 0
        self._rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def find(
        self, recommender: Recommender, prefix: str, count: int
    ) -> tuple[list[tuple[str, float]], float]:
        """Return items with their popularity, and its half-life in seconds.

        The item that is called exactly `prefix` comes first, popular or not.
        """
        view, index = recommender.view, recommender.index
        if self._view is not view:
            self._follow(recommender)
        exact = index.row_of(prefix) if prefix else -1
        rows = [exact] if exact >= 0 else []
        for row in self._rows.tolist():
            if len(rows) >= count:
                break
            if row != exact and index.item_ids[row].startswith(prefix):
                rows.append(row)
        graph, now = view.graph, view.reference_time
        rows = rows[:count]
        counts = popularity_counts(graph, np.array(rows, dtype=np.int64), now)[:, self._scale]
        names = [index.item_ids[row] for row in rows]
        found = list(zip(names, counts.round(6).tolist(), strict=True))
        return found, float(graph.half_lives[self._scale])

    def _follow(self, recommender: Recommender) -> None:
        view = recommender.view
        graph = view.graph
        # What is popular today: shorter scales jump about, longer ones show what is gone.
        self._scale = nearest_scale(graph.half_lives, DAY_SECONDS)
        listable = np.flatnonzero(recommender.listable)
        self._rows = by_popularity(graph, listable, self._scale)[:SEARCHED_ITEMS]
        self._view = view
