"""Products of vectors and their gradients, against matrices."""

import numpy as np

from gsr.ranker.adam import take_step
from gsr.ranker.vectors.products import (
    add_product_gradients,
    add_rows,
    move_rows,
    numbered,
    vector_products,
)

ITEMS, ROOM, D = 9, 12, 16


def some(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors, rows of candidates and queries."""
    vectors = rng.standard_normal((ROOM, D)).astype(np.float32)
    rows = rng.integers(-1, ITEMS, (5, 7)).astype(np.int32)
    return vectors, rows, rng.standard_normal((5, 2, D)).astype(np.float32)


def test_products_are_those_of_matrices() -> None:
    """0 for negative rows, and for rows past the last item."""
    vectors, rows, queries = some(np.random.default_rng(0))
    rows[0, 0] = ITEMS + 1
    found = np.empty((5, 7, 2), dtype=np.float32)
    vector_products(vectors, ITEMS, rows, queries, found)
    known = (rows >= 0) & (rows < ITEMS)
    expected = np.einsum("nkd,nqd->nkq", vectors[np.where(known, rows, 0)], queries)
    assert np.allclose(found, expected * known[..., None], atol=1e-5)


def test_gradients_are_those_of_matrices() -> None:
    """By vectors, summed over all places of a row, and by queries; other rows have none."""
    rng = np.random.default_rng(1)
    vectors, rows, queries = some(rng)
    by_products = rng.standard_normal((5, 7, 2)).astype(np.float32)
    numbers = np.zeros(ROOM, dtype=np.int32)
    distinct, (places,) = numbered([rows], numbers)
    sums = np.zeros((len(distinct), D), dtype=np.float32)
    by_queries = np.zeros_like(queries)
    add_product_gradients(vectors, rows, places, by_products, queries, sums, by_queries)
    there = by_products * (rows >= 0)[..., None]
    expected = np.zeros((ROOM, D), dtype=np.float32)
    by_vectors = np.einsum("nkq,nqd->nkd", there, queries)
    np.add.at(expected, np.maximum(rows, 0), by_vectors)
    assert np.allclose(sums, expected[distinct], atol=1e-5)
    found = np.einsum("nkq,nkd->nqd", there, vectors[np.maximum(rows, 0)])
    assert np.allclose(by_queries, found, atol=1e-5)


def test_rows_are_numbered_across_arrays() -> None:
    """Each once, in the order in which they come; nothing is left behind."""
    numbers = np.zeros(ROOM, dtype=np.int32)
    parts = [np.array([[3, -1], [5, 3]], dtype=np.int32), np.array([0, 5], dtype=np.int32)]
    distinct, places = numbered(parts, numbers)
    assert distinct.tolist() == [3, 5, 0]
    assert [found.tolist() for found in places] == [[[0, -1], [1, 0]], [2, 1]]
    assert not numbers.any()
    sums = np.zeros((3, 2), dtype=np.float32)
    add_rows(places[0].reshape(-1), np.arange(8, dtype=np.float32).reshape(4, 2), sums)
    assert sums.tolist() == [[6.0, 8.0], [4.0, 5.0], [0.0, 0.0]]


def test_steps_on_rows_are_those_on_arrays() -> None:
    """Of Adam; the other rows stay."""
    rng = np.random.default_rng(2)
    vectors, first, second = (rng.random((ROOM, D)).astype(np.float32) for _ in range(3))
    rows = np.array([7, 2, 4], dtype=np.int32)
    gradients = rng.standard_normal((3, D)).astype(np.float32)
    expected = [array.copy() for array in (vectors, first, second)]
    moved = [array[rows] for array in expected]
    take_step(moved[0], gradients, moved[1], moved[2], 0.01)
    for array, part in zip(expected, moved, strict=True):
        array[rows] = part
    move_rows(rows, gradients, vectors, first, second, 0.01)
    for mine, theirs in zip((vectors, first, second), expected, strict=True):
        assert np.allclose(mine, theirs, atol=1e-6)
