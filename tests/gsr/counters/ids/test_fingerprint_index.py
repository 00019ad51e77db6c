"""Rows are found by the fingerprints of a seen filter."""

import numpy as np

from gsr.counters.ids.fingerprint_index import FingerprintIndex


def test_equal_fingerprints_are_all_found() -> None:
    """Two items that share a fingerprint are both masked: rather one too many than one seen."""
    index = FingerprintIndex(np.full(3, 5, dtype=np.uint32))
    rows, counts = index.rows_with(np.array([4, 5], dtype=np.uint32))
    assert sorted(rows.tolist()) == [0, 1, 2]
    assert counts.tolist() == [0, 3]


def test_of_nothing_nothing_is_found() -> None:
    """A view without items answers too."""
    rows, counts = FingerprintIndex(np.zeros(0, dtype=np.uint32)).rows_with(
        np.array([4], dtype=np.uint32)
    )
    assert (rows.tolist(), counts.tolist()) == ([], [0])
