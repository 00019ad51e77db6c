"""The closest vectors, against the cosines of all."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.ranking.closest_vectors import ClosestVectors

Floats = npt.NDArray[np.float32]


def _cosines(vectors: Floats, row: int) -> npt.NDArray[np.float64]:
    """Return the cosines to one vector, -inf for itself and for vectors of zeros."""
    wide = vectors.astype(np.float64)
    lengths = np.sqrt((wide**2).sum(axis=1))
    cosines: npt.NDArray[np.float64] = wide @ wide[row] / np.maximum(lengths * lengths[row], 1e-300)
    cosines[lengths == 0.0] = -np.inf
    cosines[row] = -np.inf
    return cosines


def _check(vectors: Floats, row: int, count: int, allowed: npt.NDArray[np.bool_]) -> None:
    rows, found = ClosestVectors(vectors).closest(row, count, allowed)
    wanted = _cosines(vectors, row)
    wanted[~allowed] = -np.inf
    there = int(np.isfinite(wanted).sum())
    best = np.sort(wanted)[::-1][: min(count, there)]
    assert len(set(rows.tolist())) == len(rows) == len(best)
    np.testing.assert_allclose(found, best, atol=1e-6)
    np.testing.assert_allclose(wanted[rows], best, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    items=st.integers(1, 300),
    dimension=st.integers(1, 70),
    count=st.integers(1, 40),
    kind=st.sampled_from(["even", "near", "one-sided", "few"]),
)
def test_they_are_those_of_the_largest_cosines(
    seed: int, items: int, dimension: int, count: int, kind: str
) -> None:
    """Whether vectors lie everywhere, almost together, along an axis, or on top of each other."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((items, dimension)).astype(np.float32)
    if kind == "near":
        vectors = (vectors[0] + 1e-4 * vectors).astype(np.float32)
    elif kind == "one-sided":
        vectors[:, 0] *= 1000.0
    elif kind == "few":
        vectors = vectors[rng.integers(0, min(items, 5), items)]
    vectors *= (10.0 ** rng.uniform(-6, 6, items)).astype(np.float32)[:, None]
    vectors[rng.random(items) < 0.1] = 0.0
    row = int(rng.integers(items))
    if not vectors[row].any():
        vectors[row, 0] = 1.0
    _check(vectors, row, count, rng.random(items) < 0.8)


def test_equal_ones_come_by_their_row() -> None:
    vectors = np.ones((6, 4), dtype=np.float32)
    rows, cosines = ClosestVectors(vectors).closest(2, 3, np.ones(6, dtype=np.bool_))
    assert rows.tolist() == [0, 1, 3]
    np.testing.assert_allclose(cosines, 1.0, rtol=1e-6)


def test_a_vector_of_zeros_is_close_to_none() -> None:
    """Neither is any close to it."""
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    closest = ClosestVectors(vectors)
    everything = np.ones(4, dtype=np.bool_)
    assert closest.closest(0, 9, everything)[0].tolist() == []
    assert closest.closest(1, 9, everything)[0].tolist() == [3]


@pytest.mark.parametrize("known", [1, 3])
def test_rows_that_nobody_speaks_of_are_left_out(known: int) -> None:
    """`allowed` may be shorter than the vectors."""
    vectors = np.ones((5, 2), dtype=np.float32)
    rows, _ = ClosestVectors(vectors).closest(4, 9, np.ones(known, dtype=np.bool_))
    assert rows.tolist() == list(range(known))


def test_changed_vectors_are_taken_over() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((200, 16)).astype(np.float32)
    closest, everything = ClosestVectors(vectors), np.ones(200, dtype=np.bool_)
    vectors[3] = 2.0 * vectors[7]
    vectors[150] = 0.0
    closest.renew(np.array([3, 150]))
    rows, cosines = closest.closest(7, 199, everything)
    assert rows[0] == 3
    assert cosines[0] == pytest.approx(1.0)
    assert 150 not in rows
    assert len(rows) == 198


def test_few_are_read_in_full() -> None:
    """What is looked through in bytes leaves little: else it would be for nothing."""
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((20_000, 64)).astype(np.float32)
    closest = ClosestVectors(vectors)
    exact = np.sort(_cosines(vectors, 5))[::-1][:20]
    near = closest.near(5, 20, np.ones(20_000, dtype=np.bool_))
    assert 20 <= len(near) < 100
    np.testing.assert_allclose(np.sort(_cosines(vectors, 5)[near])[::-1][:20], exact)
