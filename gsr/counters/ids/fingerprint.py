"""Four bytes that stand for an item id in a seen filter."""

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from gsr.counters.ids.id_column import IdColumn

_LOW_32_BITS = 0xFFFF_FFFF


def fingerprint(item_id: str) -> int:
    """Return the low 32 bits of the id's xxh3 hash, with 1 in place of 0.

    A filter of 1,000 of them answers wrongly for one foreign item in four million.

    Examples
    --------
    >>> fingerprint("item-1") == fingerprint("item-1")
    True
    """
    return xxh3_64_intdigest(item_id.encode()) & _LOW_32_BITS or 1


def fingerprints_of(item_ids: IdColumn) -> npt.NDArray[np.uint32]:
    """Return uint32 [n], the fingerprint of each item id."""
    marks = item_ids.hashes.astype(np.uint32)
    marks[marks == 0] = 1
    return marks
