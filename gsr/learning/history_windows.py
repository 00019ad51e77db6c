"""Parts of users' histories as packed clicks. Imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.network.packing import PackedClicks


@dataclass(frozen=True, slots=True)
class Windows:
    """Consecutive clicks of each of B users, T clicks in all.

    Parameters
    ----------
    packed
        The clicks; votes and pauses are not filled.
    positions
        int64 [T], where each click stands in `Interactions.items`.
    """

    packed: PackedClicks
    positions: npt.NDArray[np.int64]


def pack_windows(
    interactions: Interactions,
    users: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
) -> Windows:
    """Pack, for each of B users, the clicks ``firsts : stops``, at least one each."""
    lengths = stops - firsts
    ends = lengths.cumsum()
    row = np.repeat(np.arange(len(users)), lengths)
    column = np.arange(len(row)) - np.repeat(ends - lengths, lengths)
    positions = np.repeat(firsts, lengths) + column
    times = interactions.times[positions]
    gaps = np.diff(times, prepend=0.0)
    gaps[column == 0] = 0.0
    packed = PackedClicks(
        items=interactions.items[positions],
        gaps=gaps.astype(np.float32),
        events=interactions.events[positions].astype(np.int64),
        row=row,
        column=column,
        place=column,
        last=ends - 1,
        present=np.ones((len(users), 1), np.float32),
        pauses=np.zeros(len(users), np.float32),
        votes=np.zeros(len(row), np.float32),
        length=int(lengths.max(initial=0)),
    )
    return Windows(packed, positions)
