"""Parts of users' histories as packed clicks. Imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.network.packing import PackedClicks, pack_flat


@dataclass(frozen=True, slots=True)
class Windows:
    """Consecutive clicks of each of B users, T clicks in all.

    Parameters
    ----------
    packed
        The clicks; each user is asked for at its last one.
    positions
        int64 [T], where each click stands in `Interactions.items`.
    """

    packed: PackedClicks
    positions: npt.NDArray[np.int64]


def pack_windows(
    interactions: Interactions,
    firsts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
) -> Windows:
    """Pack the clicks ``firsts : stops``, int64 [B] each, at least one of every user."""
    lengths = stops - firsts
    column = np.arange(int(lengths.sum())) - np.repeat(lengths.cumsum() - lengths, lengths)
    positions = np.repeat(firsts, lengths) + column
    packed = pack_flat(
        interactions.items[positions],
        interactions.times[positions],
        interactions.events[positions],
        column,
        lengths,
        interactions.times[stops - 1],
    )
    return Windows(packed, positions)
