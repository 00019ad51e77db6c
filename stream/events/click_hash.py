"""What tells two events of one user apart: a 64-bit hash."""

from collections.abc import Sequence
from itertools import repeat
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

# Two seeds, so that an event id never collides with an item id by being spelled the same.
_ITEM_SEED: Final = 0
_EVENT_ID_SEED: Final = 1


def click_hash(item_id: str, time: float, event: str, event_id: str | None = None) -> int:
    """Return the 64-bit hash of one click.

    Parameters
    ----------
    item_id, time, event
        The item, the event time in seconds since the epoch, the event's name; they count only
        where there is no event id.
    event_id
        Whatever the producer uses to tell events apart.

    Examples
    --------
    >>> click_hash("i1", 5.0, "click") == click_hash("i1", 5.0, "cart")
    False
    >>> click_hash("i1", 5.0, "click", "e1") == click_hash("i2", 6.0, "cart", "e1")
    True
    """
    return int(
        click_hashes(
            [item_id.encode()],
            np.array([time]),
            np.array([_name_hash(event)], dtype=np.uint64),
            [event_id],
        )[0]
    )


def name_hashes(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return uint64 [names], the hash of each event name (the `kinds` of `click_hashes`)."""
    return np.array([_name_hash(name) for name in names], dtype=np.uint64)


def click_hashes(
    item_ids: Sequence[bytes],
    times: npt.NDArray[np.float64],
    kinds: npt.NDArray[np.uint64],
    event_ids: Sequence[str | None],
) -> npt.NDArray[np.uint64]:
    """Return the 64-bit hash of each of n clicks.

    Parameters
    ----------
    item_ids
        n item ids as UTF-8.
    times
        float64 [n], seconds since the epoch.
    kinds
        uint64 [n], the hash of each click's event name.
    event_ids
        n event ids or None, or an empty sequence where no click has one.

    Returns
    -------
    numpy.ndarray
        uint64 [n]: xxh3-64 of the event id (seed 1), else ``mix(xxh3-64(item) + mix(bits of the
        time ^ xxh3-64(event name)))`` with the finaliser of SplitMix64 as ``mix``.
    """
    # Adding zero turns -0.0 into 0.0, which has other bits.
    bits = (times + 0.0).view(np.uint64)
    items = np.fromiter(
        map(xxh3_64_intdigest, item_ids, repeat(_ITEM_SEED)), np.uint64, len(item_ids)
    )
    hashes = _mix(items + _mix(bits ^ kinds))
    for row, event_id in enumerate(event_ids):
        if event_id is not None:
            hashes[row] = xxh3_64_intdigest(event_id.encode(), _EVENT_ID_SEED)
    return hashes


def _name_hash(name: str) -> int:
    return xxh3_64_intdigest(name.encode(), _ITEM_SEED)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread every input bit over all output bits (SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
