"""Item vectors: lazy steps against torch's, rows that get other items, steps taken back."""

import numpy as np
import torch

from gsr.ranker.vectors.item_vectors import ItemSteps, ItemVectors


def vectors_of(items: int, dimension: int = 4) -> ItemVectors:
    made = ItemVectors(dimension)
    made.grow(items, np.random.default_rng(0))
    return made


def some_step(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows = rng.permutation(5)[: rng.integers(1, 5)].astype(np.int32)
    return rows, rng.standard_normal((len(rows), 4)).astype(np.float32)


def test_steps_are_those_of_sparse_adam() -> None:
    """Rows that take no part stay."""
    rng = np.random.default_rng(0)
    vectors = vectors_of(6)
    steps = ItemSteps(vectors, 0.01)
    table = torch.nn.Embedding(6, 4, sparse=True)
    table.weight.data = torch.from_numpy(vectors.values.copy())
    optimiser = torch.optim.SparseAdam([table.weight], lr=0.01)
    for _ in range(20):
        rows, gradients = some_step(rng)
        steps.move(rows, gradients)
        optimiser.zero_grad()
        found = table(torch.from_numpy(rows.astype(np.int64)))
        (found * torch.from_numpy(gradients)).sum().backward()
        optimiser.step()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert np.allclose(vectors.values, table.weight.detach().numpy(), atol=1e-6)
    assert steps.touched > 20


def test_vectors_keep_their_values_when_there_is_room_for_more() -> None:
    vectors = ItemVectors(3)
    vectors.grow(2, np.random.default_rng(0))
    before = vectors.values.copy()
    vectors.grow(50, np.random.default_rng(1))
    assert len(vectors) == len(vectors.values) == 50
    assert np.array_equal(vectors.values[:2], before)


def test_a_renewed_row_begins_anew() -> None:
    """Its vector is small again, its moments are forgotten; the others stay."""
    vectors = vectors_of(4)
    steps = ItemSteps(vectors, 0.1)
    steps.move(np.array([0, 2], dtype=np.int32), np.full((2, 4), 5.0, dtype=np.float32))
    steps.commit()
    kept = vectors.values[0].copy()
    vectors.renew(np.array([2]), np.random.default_rng(1))
    steps.renew(np.array([2]))
    assert np.array_equal(vectors.values[0], kept)
    assert 0.0 < np.abs(vectors.values[2]).max() < 0.09
    fresh = vectors.values[2].copy()
    steps.move(np.array([2], dtype=np.int32), np.zeros((1, 4), dtype=np.float32))
    assert np.array_equal(vectors.values[2], fresh)


def test_steps_can_be_taken_back() -> None:
    """To the last commit, also of items that came since; then they go on as if never taken."""
    rng = np.random.default_rng(0)
    vectors, other = vectors_of(6), vectors_of(6)
    steps, same = ItemSteps(vectors, 0.01), ItemSteps(other, 0.01)
    made = [some_step(rng) for _ in range(9)]
    for step in made[:3]:
        steps.move(*step)
        same.move(*step)
    steps.commit()
    for step in made[3:6]:
        steps.move(*step)
    vectors.grow(9, np.random.default_rng(2))
    steps.grow()
    steps.move(np.array([8, 0], dtype=np.int32), np.ones((2, 4), dtype=np.float32))
    steps.take_back()
    assert np.array_equal(vectors.values[:6], other.values)
    for step in made[6:]:
        steps.move(*step)
        same.move(*step)
    assert np.array_equal(vectors.values[:6], other.values)


def test_what_goes_on_can_go_on_elsewhere() -> None:
    """Moments and the number of steps, with the vectors beside."""
    rng = np.random.default_rng(0)
    vectors = vectors_of(6)
    steps = ItemSteps(vectors, 0.01)
    for _ in range(4):
        steps.move(*some_step(rng))
    other = ItemVectors(4)
    other.load(vectors.values)
    same = ItemSteps(other, 0.01)
    same.load(steps.arrays())
    step = some_step(rng)
    steps.move(*step)
    same.move(*step)
    assert np.array_equal(vectors.values, other.values)
    assert steps.touched == same.touched
