"""The id of a list: the same whenever the same list is made for the same user."""

import re
import struct
from typing import Final

from xxhash import xxh3_64_intdigest

NO_LIST: Final = 0
"""The number that no list has."""
_HEXADECIMAL: Final = re.compile("[0-9a-f]{16}")
_NO_CLICK: Final = -(2**63)


def list_number(
    user_id: str, items_hash: int, source_offset: int | None, model_version: int
) -> int:
    """Return the 64 bits that a `list_id` writes in hexadecimal, never `NO_LIST`.

    They depend on what the list is, not on when it was made: one that a restart sends again has
    them again.

    Parameters
    ----------
    user_id
        The user; "" for the default list.
    items_hash
        Of the items and their order, 64 bits.
    source_offset, model_version
        As in the record.
    """
    offset = _NO_CLICK if source_offset is None else source_offset
    facts = struct.pack("<Qqq", items_hash, offset, model_version)
    return xxh3_64_intdigest(facts + user_id.encode()) or 1


def list_id(number: int) -> str:
    """Return the text of a list's number.

    Examples
    --------
    >>> list_id(255), parse_list_id("00000000000000ff")
    ('00000000000000ff', 255)
    """
    return f"{number:016x}"


def parse_list_id(text: str | None) -> int:
    """Return the number of a `list_id`; `NO_LIST` where the text is none of ours."""
    if text is None or not _HEXADECIMAL.fullmatch(text):
        return NO_LIST
    return int(text, 16)
