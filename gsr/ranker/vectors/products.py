"""Products of candidates' vectors with a user's, and their gradients, without copies of vectors."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel, relaxed_kernel
from gsr.ranker.adam import TINY, averaged


@relaxed_kernel
def vector_products(
    vectors: npt.NDArray[np.float32],
    items: int,
    rows: npt.NDArray[np.int32],
    queries: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Fill products of vectors.

    Parameters
    ----------
    vectors, items
        float32 [room, d], of which the first `items` rows are items.
    rows
        int32 [n, K], item rows; the products of unknown ones are 0.
    queries
        float32 [n, 2, d].
    out
        float32 [n, K, 2], filled.
    """
    dimension = vectors.shape[1]
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            row = rows[i, k]
            first, second = np.float32(0.0), np.float32(0.0)
            if 0 <= row < items:
                for j in range(dimension):
                    first += vectors[row, j] * queries[i, 0, j]
                    second += vectors[row, j] * queries[i, 1, j]
            out[i, k, 0] = first
            out[i, k, 1] = second


@relaxed_kernel
def add_product_gradients(
    vectors: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int32],
    places: npt.NDArray[np.int32],
    by_products: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
    by_queries: npt.NDArray[np.float32],
) -> None:
    """Take the gradient by products on to vectors and queries.

    Parameters
    ----------
    vectors, rows, queries
        As for `vector_products`.
    places
        int32 [n, K], which row of `sums` is that of each vector; -1: it has none.
    by_products
        float32 [n, K, 2].
    sums
        float32 [distinct rows, d], added to.
    by_queries
        float32 [n, 2, d], added to.
    """
    dimension = vectors.shape[1]
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            row, place = rows[i, k], places[i, k]
            first, second = by_products[i, k, 0], by_products[i, k, 1]
            if place < 0:
                continue
            for j in range(dimension):
                value = vectors[row, j]
                sums[place, j] += first * queries[i, 0, j] + second * queries[i, 1, j]
                by_queries[i, 0, j] += first * value
                by_queries[i, 1, j] += second * value


@lean_kernel
def number_rows(
    rows: npt.NDArray[np.int32],
    numbers: npt.NDArray[np.int32],
    distinct: npt.NDArray[np.int32],
    count: int,
    places: npt.NDArray[np.int32],
) -> int:
    """Give rows that have no number the next ones; return how many have one.

    Parameters
    ----------
    rows
        int32 [m]; those outside of `numbers` get none.
    numbers
        int32 [room], one more than each row's number, 0 for none.
    distinct
        int32, the row of each number, filled from `count` on.
    count
        How many rows have a number.
    places
        int32 [m], filled with the numbers; -1 where there is none.
    """
    for i in range(len(rows)):
        row = rows[i]
        places[i] = -1
        if row < 0 or row >= len(numbers):
            continue
        if numbers[row] == 0:
            distinct[count] = row
            count += 1
            numbers[row] = count
        places[i] = numbers[row] - 1
    return count


@lean_kernel
def add_rows(
    places: npt.NDArray[np.int32],
    gradients: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
) -> None:
    """Add row i of `gradients`, float32 [m, d], to row ``places[i]`` of `sums`; -1: to none."""
    for i in range(len(places)):
        if places[i] >= 0:
            for j in range(sums.shape[1]):
                sums[places[i], j] += gradients[i, j]


@relaxed_kernel
def move_rows(
    rows: npt.NDArray[np.int32],
    gradients: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    first: npt.NDArray[np.float32],
    second: npt.NDArray[np.float32],
    rate: float,
) -> None:
    """Take a step of Adam on some rows (see `gsr.ranker.adam.take_step`).

    Parameters
    ----------
    rows, gradients
        int32 [m], distinct, and float32 [m, d].
    vectors, first, second
        float32 [room, d], changed in place.
    rate
        See `gsr.ranker.adam.unbiased_rate`.
    """
    step = np.float32(rate)
    for i in range(len(rows)):
        row = rows[i]
        for j in range(gradients.shape[1]):
            mean, square = averaged(first[row, j], second[row, j], gradients[i, j])
            first[row, j], second[row, j] = mean, square
            vectors[row, j] -= step * mean / (np.sqrt(square) + TINY)


def numbered(
    parts: list[npt.NDArray[np.int32]], numbers: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], list[npt.NDArray[Any]]]:
    """Return the distinct rows of several arrays, and where each of their rows stands among them.

    Parameters
    ----------
    parts
        int32 of any shape, negative for no row.
    numbers
        int32 [room], all 0, and 0 again afterwards.

    Returns
    -------
    int32 [distinct], and int32 arrays of the parts' shapes, -1 for no row.
    """
    distinct = np.empty(sum(part.size for part in parts), dtype=np.int32)
    count, found = 0, []
    for part in parts:
        places = np.empty(part.size, dtype=np.int32)
        count = number_rows(
            np.ascontiguousarray(part).reshape(-1), numbers, distinct, count, places
        )
        found.append(places.reshape(part.shape))
    numbers[distinct[:count]] = 0
    return distinct[:count], found
