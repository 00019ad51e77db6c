"""User vectors of cases."""

from typing import Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from gsr.counters.interactions import Interactions
from gsr.learning.history_windows import pack_windows
from gsr.network.model import JointModel, as_clicks
from gsr.quality.protocols import Cases

TOGETHER: Final = 256
CLICKS_TOGETHER: Final = 8192
"""Cases that are encoded at once, and their clicks, at most: attention fits into the cache."""


def encode_cases(
    model: JointModel,
    interactions: Interactions,
    cases: Cases,
    items: Tensor,
    propagated: Tensor | None = None,
) -> Tensor:
    """Return user vectors as of each of m cases, [m, d].

    Parameters
    ----------
    model
        Encodes.
    interactions, cases
        The users' clicks, and which moments.
    items, propagated
        [N, d], fused and graph vectors of all items; None where the graph encoder is off.
    """
    length = model.config.history_length
    found = items.new_zeros(len(cases), items.shape[1])
    for rows in by_length(interactions, cases, length):
        users, positions = cases.users[rows], cases.positions[rows]
        firsts = np.maximum(interactions.starts[users], positions - length)
        packed = pack_windows(interactions, firsts, positions).packed
        clicks = as_clicks(packed, packed.items).to(items.device)
        found[model.tensor(rows)] = model.network.encode(items, propagated, clicks)
    return found


def by_length(
    interactions: Interactions, cases: Cases, longest: int
) -> list[npt.NDArray[np.int64]]:
    """Return the rows of all cases in parts of like history length, so that little is padding.

    Histories are read as far back as `longest` clicks.
    """
    lengths = np.minimum(cases.history_lengths(interactions), longest)
    order = np.argsort(lengths, kind="stable")
    filled = lengths[order].cumsum() // CLICKS_TOGETHER
    full = np.flatnonzero(np.diff(filled)) + 1
    bounds = np.union1d(full, np.arange(TOGETHER, len(order), TOGETHER))
    return [np.sort(part) for part in np.split(order, bounds)]
