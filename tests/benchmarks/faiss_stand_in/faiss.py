"""What the benchmark asks of faiss, by a matrix product; the library itself is elsewhere."""

from typing import Any

import numpy as np


def omp_set_num_threads(_: int) -> None:
    """Take the number, as the library does."""


class IndexFlatIP:
    """An index of inner products."""

    def __init__(self, dimension: int) -> None:
        self._items = np.zeros((0, dimension), np.float32)

    def add(self, items: Any) -> None:
        """Add vectors."""
        self._items = np.concatenate((self._items, items))

    def search(self, users: Any, k: int) -> tuple[Any, Any]:
        """Return the best scores and their items."""
        scores = users @ self._items.T
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, rows, axis=1), rows
