"""Fingerprints of item ids."""

import numpy as np

from gsr.counters.ids.fingerprint import fingerprint, fingerprints_of
from gsr.counters.ids.id_column import IdColumn


def test_columns_and_single_ids_agree() -> None:
    """Four bytes of the id's hash, whoever asks."""
    ids = [f"item-{n}" for n in range(50)]
    assert fingerprints_of(IdColumn.of(ids)).tolist() == [fingerprint(text) for text in ids]


def test_no_fingerprint_is_zero() -> None:
    """Zero stands for none where fingerprints are padded."""
    ids = IdColumn.of(["any"])
    zero = IdColumn(ids.data, ids.starts, ids.lengths, np.array([7 << 32], dtype=np.uint64))
    assert fingerprints_of(zero).tolist() == [1]
