"""Items that may not be listed for a user: rows, and fingerprints of a seen filter."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel

_SPREAD = np.uint32(2654435769)
"""Two to the 32 over the golden ratio: spreads fingerprints over the table."""


class Barred(NamedTuple):
    """What is barred at the moment; all is empty between two users.

    Parameters
    ----------
    rows
        bool [N], item rows.
    table
        uint32 [a power of two], fingerprints by open addressing; 0 is a free place.
    taken
        int64 [T], places in the table that are taken; T is half of it.
    counts
        int64 [1], how many are.
    """

    rows: npt.NDArray[np.bool_]
    table: npt.NDArray[np.uint32]
    taken: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def nothing_barred(items: int, fingerprints: int) -> Barred:
    """Return room for `items` rows and `fingerprints` fingerprints."""
    size = 2 ** max(4, int(2 * fingerprints + 1).bit_length())
    return Barred(
        rows=np.zeros(items, dtype=np.bool_),
        table=np.zeros(size, dtype=np.uint32),
        taken=np.zeros(size // 2, dtype=np.int64),
        counts=np.zeros(1, dtype=np.int64),
    )


@inner_kernel
def _known(fingerprint: np.uint32) -> np.uint32:
    """Return a fingerprint as the table holds it: 0 stands for a free place."""
    return fingerprint if fingerprint != 0 else np.uint32(1)


@lean_kernel
def bar_rows(barred: Barred, rows: npt.NDArray[np.int64]) -> None:
    """Bar item rows; negative ones are none."""
    for row in rows:
        if row >= 0:
            barred.rows[row] = True


@lean_kernel
def admit_rows(barred: Barred, rows: npt.NDArray[np.int64]) -> None:
    """Bar these item rows no more."""
    for row in rows:
        if row >= 0:
            barred.rows[row] = False


@lean_kernel
def bar_fingerprints(barred: Barred, fingerprints: npt.NDArray[np.uint32]) -> None:
    """Bar the items of fingerprints; what there is no room for is left out."""
    mask = np.uint32(len(barred.table) - 1)
    for found in fingerprints:
        fingerprint = _known(found)
        place = (fingerprint * _SPREAD) & mask
        while barred.table[place] not in (np.uint32(0), fingerprint):
            place = (place + np.uint32(1)) & mask
        if barred.table[place] == 0 and barred.counts[0] < len(barred.taken):
            barred.table[place] = fingerprint
            barred.taken[barred.counts[0]] = place
            barred.counts[0] += 1


@lean_kernel
def admit_fingerprints(barred: Barred) -> None:
    """Bar no fingerprints any more."""
    for i in range(barred.counts[0]):
        barred.table[barred.taken[i]] = 0
    barred.counts[0] = 0


@inner_kernel
def has_fingerprint(barred: Barred, found: np.uint32) -> bool:
    """Whether a fingerprint is barred."""
    if barred.counts[0] == 0:
        return False
    mask = np.uint32(len(barred.table) - 1)
    fingerprint = _known(found)
    place = (fingerprint * _SPREAD) & mask
    while barred.table[place] != 0:
        if barred.table[place] == fingerprint:
            return True
        place = (place + np.uint32(1)) & mask
    return False
