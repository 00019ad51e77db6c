"""Item vectors: lazy steps against torch's, and rows that get other items."""

import numpy as np
import torch

from gsr.baselines.vector_ranker.item_vectors import ItemVectors


def test_steps_are_those_of_sparse_adam() -> None:
    """Rows that stand twice in a step are moved once, by the sum; the others stay."""
    rng = np.random.default_rng(0)
    vectors = ItemVectors(4, 0.01, rng)
    vectors.reserve(6)
    table = torch.nn.Embedding(6, 4, sparse=True)
    table.weight.data = torch.from_numpy(vectors.values[:6].copy())
    optimiser = torch.optim.SparseAdam([table.weight], lr=0.01)
    for _ in range(20):
        rows = rng.integers(-1, 5, 7).astype(np.int32)
        gradients = rng.standard_normal((7, 4)).astype(np.float32)
        vectors.move(rows, gradients)
        optimiser.zero_grad()
        there = rows >= 0
        found = table(torch.from_numpy(rows[there].astype(np.int64)))
        (found * torch.from_numpy(gradients[there])).sum().backward()
        optimiser.step()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert np.allclose(vectors.values[:6], table.weight.detach().numpy(), atol=1e-6)


def test_vectors_of_nothing_are_zero() -> None:
    """And vectors keep their values when there is room for more."""
    vectors = ItemVectors(3, 0.01, np.random.default_rng(0))
    vectors.reserve(2)
    before = vectors.values[:2].copy()
    vectors.reserve(50)
    assert len(vectors) >= 50
    assert np.array_equal(vectors.values[:2], before)
    found = vectors.of(np.array([[1, -1]], dtype=np.int32))
    assert np.array_equal(found, [[before[1], np.zeros(3)]])


def test_a_released_row_begins_anew() -> None:
    """Its vector is small again, its moments forgotten; who looked it up before is told."""
    vectors = ItemVectors(3, 0.1, np.random.default_rng(0))
    vectors.reserve(4)
    rows = np.array([0, 2, -1], dtype=np.int32)
    vectors.move(rows, np.full((3, 3), 5.0, dtype=np.float32))
    kept = vectors.values[0].copy()
    since = vectors.releases
    assert vectors.still_there(rows, since).tolist() == [0, 2, -1]
    vectors.release(np.array([2, 9]))
    assert vectors.still_there(rows, since).tolist() == [0, -1, -1]
    assert vectors.still_there(rows, vectors.releases).tolist() == [0, 2, -1]
    assert np.array_equal(vectors.values[0], kept)
    assert np.abs(vectors.values[2]).max() < 0.09
    fresh = vectors.values[2].copy()
    vectors.move(np.array([3], dtype=np.int32), np.ones((1, 3), dtype=np.float32))
    assert np.array_equal(vectors.values[2], fresh)
