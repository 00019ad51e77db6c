"""Four bytes that stand for an item id in a seen filter."""

from xxhash import xxh3_64_intdigest

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
