"""The item graph and recent popularity, as arrays over item rows."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.rules import NO_SCALES


class ItemGraph(NamedTuple):
    """A view of live counters: a graph of items, and their popularity on S time scales.

    An edge has S weights for what followed, and C more, on time scales of their own, for what one
    user clicked close by, before or after; these are the same in both directions, but for what
    trimming took from one row only. A neighbour that was only close has zeros in the first S.

    The arrays may be views of memory that somebody else keeps adding to, and that moves when it
    grows: ask for them anew after every change. A stored weight ``w``
    with reference ``r`` is worth ``w * 2 ** (r - t / half_life)`` at time ``t`` (forward decay):
    references count whole half-lives since the epoch.

    Parameters
    ----------
    half_lives
        float64 [S], seconds.
    row_starts, row_lengths
        int64 [N] and int32 [N]: item n's neighbours are the slots
        ``row_starts[n] : row_starts[n] + row_lengths[n]``.
    row_references
        int64 [N, S + C], reference of each row's weights, in whole half-lives.
    neighbours
        uint32 [slots], item rows.
    weights
        float32 [slots, S + C], stored weights.
    popularity
        float32 [N, S], stored sums of event weights.
    popularity_references
        int64 [N, S], in whole half-lives.
    last_clicks
        float64 [N], time of the newest click; -inf where there was none.
    alive
        bool [N], rows that are items that may be recommended; False where a row is free, or its
        first click is pending.
    close_half_lives
        float64 [C], seconds.
    """

    half_lives: npt.NDArray[np.float64]
    row_starts: npt.NDArray[np.int64]
    row_lengths: npt.NDArray[np.int32]
    row_references: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    popularity: npt.NDArray[np.float32]
    popularity_references: npt.NDArray[np.int64]
    last_clicks: npt.NDArray[np.float64]
    alive: npt.NDArray[np.bool_]
    close_half_lives: npt.NDArray[np.float64] = NO_SCALES

    @property
    def items(self) -> int:
        """How many item rows there are, free ones included."""
        return len(self.alive)

    @property
    def scales(self) -> int:
        """How many time scales what followed has, and popularity."""
        return len(self.half_lives)
