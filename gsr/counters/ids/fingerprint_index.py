"""Rows of items, found by the fingerprints that a seen filter holds."""

import numpy as np
import numpy.typing as npt

from gsr.counters.arena import block_places


class FingerprintIndex:
    """Finds rows by fingerprint.

    Parameters
    ----------
    fingerprints
        uint32 [N], of each row's item id; 0 where the row is free.

    Examples
    --------
    >>> index = FingerprintIndex(np.array([7, 5, 7], dtype=np.uint32))
    >>> index.rows_with(np.array([7, 9], dtype=np.uint32))
    (array([0, 2]), array([2, 0]))
    """

    def __init__(self, fingerprints: npt.NDArray[np.uint32]) -> None:
        self.fingerprints = fingerprints
        self._order = np.argsort(fingerprints, kind="stable")
        self._sorted = fingerprints[self._order]

    def rows_with(
        self, fingerprints: npt.NDArray[np.uint32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the rows of all items that have one of `fingerprints`.

        Parameters
        ----------
        fingerprints
            uint32 [n].

        Returns
        -------
        rows
            int64, those of the first one before those of the next.
        counts
            int64 [n], how many each one has.
        """
        left = np.searchsorted(self._sorted, fingerprints, side="left")
        counts = np.searchsorted(self._sorted, fingerprints, side="right") - left
        return self._order[block_places(left, counts)], counts
