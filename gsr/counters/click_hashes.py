"""64-bit hashes that tell the events of one user apart."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from gsr.compiled import lean_kernel
from gsr.counters.ids.id_column import hash_ids

# Two seeds, so that an event id never collides with a name by being spelled the same.
_NAME_SEED: Final = 0
_EVENT_ID_SEED: Final = 1


def name_hashes(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return uint64 [names], the hash of each event name (the `kinds` of `click_hashes`)."""
    hashes = [xxh3_64_intdigest(name.encode(), _NAME_SEED) for name in names]
    return np.array(hashes, dtype=np.uint64)


def event_id_hash(event_id: str) -> int:
    """Return the 64-bit hash of a click that has an event id."""
    return xxh3_64_intdigest(event_id.encode(), _EVENT_ID_SEED)


def click_hashes(
    items: npt.NDArray[np.uint64], times: npt.NDArray[np.float64], kinds: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Return the 64-bit hash of each of n clicks without event ids.

    Parameters
    ----------
    items
        uint64 [n], the XXH3-64 of each item id.
    times
        float64 [n], seconds since the epoch.
    kinds
        uint64 [n], the hash of each click's event name.

    Returns
    -------
    numpy.ndarray
        uint64 [n]: ``mix(item + mix(bits of the time ^ kind))`` with the finaliser of SplitMix64
        as ``mix``. Of a click with an event id it is the XXH3-64 of that, with seed 1.
    """
    # Adding zero turns -0.0 into 0.0, which has other bits.
    bits = (times + 0.0).view(np.uint64)
    hashes = np.empty(len(items), dtype=np.uint64)
    _hash_clicks(items, bits, kinds, hashes)
    return hashes


def put_event_id_hashes(
    hashes: npt.NDArray[np.uint64],
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> None:
    """Replace the hashes of clicks that have an event id.

    Parameters
    ----------
    hashes
        uint64 [n], changed.
    data
        uint8 [m].
    starts, lengths
        int64 [n], the event ids; a length of -1 where there is none.
    """
    rows = np.flatnonzero(lengths >= 0)
    if len(rows):
        hashes[rows] = hash_ids(data, starts[rows], lengths[rows], _EVENT_ID_SEED)


@lean_kernel
def _mix(word: np.uint64) -> np.uint64:
    """Spread every input bit over all output bits (SplitMix64, Steele et al. 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@lean_kernel
def _hash_clicks(
    items: npt.NDArray[np.uint64],
    bits: npt.NDArray[np.uint64],
    kinds: npt.NDArray[np.uint64],
    hashes: npt.NDArray[np.uint64],
) -> None:
    for row in range(len(items)):
        hashes[row] = _mix(items[row] + _mix(bits[row] ^ kinds[row]))
