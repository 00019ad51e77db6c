"""What is barred, and that nothing is when it is admitted again."""

import numpy as np

from gsr.compiled import lean_kernel
from gsr.ranker.barred import (
    Barred,
    admit_fingerprints,
    admit_rows,
    bar_fingerprints,
    bar_rows,
    has_fingerprint,
    nothing_barred,
)


@lean_kernel
def found(barred: Barred, fingerprints: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(fingerprints)):
        out[i] = has_fingerprint(barred, fingerprints[i])


def asked(barred: Barred, fingerprints: np.ndarray) -> list[bool]:
    out = np.zeros(len(fingerprints), dtype=np.bool_)
    found(barred, fingerprints, out)
    return out.tolist()


def test_fingerprints_are_found_as_in_a_set() -> None:
    """Also 0, which marks a free place, many that fall into one place, and twice the same."""
    rng = np.random.default_rng(0)
    barred = nothing_barred(4, 100)
    for _ in range(20):
        there = rng.integers(0, 2**32, 100, dtype=np.uint32)
        there[:3] = [0, 7, 7]
        there[3:20] = np.arange(17, dtype=np.uint32) << np.uint32(20)
        bar_fingerprints(barred, there)
        others = rng.integers(0, 2**32, 200, dtype=np.uint32)
        assert all(asked(barred, there))
        expected = [int(one) in set(there.tolist()) for one in others]
        assert asked(barred, others) == expected
        admit_fingerprints(barred)
        assert not any(asked(barred, there))
        assert not barred.table.any()


def test_what_there_is_no_room_for_is_left_out() -> None:
    """The table never fills, so that looking something up ends."""
    barred = nothing_barred(0, 3)
    many = np.arange(1, 1000, dtype=np.uint32)
    bar_fingerprints(barred, many)
    assert 3 <= sum(asked(barred, many)) < len(barred.table)
    assert asked(barred, np.array([5000], dtype=np.uint32)) == [False]


def test_rows_are_barred_and_admitted() -> None:
    """Negative rows are none."""
    barred = nothing_barred(5, 0)
    rows = np.array([3, -1, 0])
    bar_rows(barred, rows)
    assert barred.rows.tolist() == [True, False, False, True, False]
    admit_rows(barred, rows)
    assert not barred.rows.any()
