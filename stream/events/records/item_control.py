"""The item control record: whether an item may be recommended."""

from typing import Final

import msgspec

from stream.events.records.record_json import decode_record

ITEM_SCHEMA_VERSION: Final = 1


class ItemControl(msgspec.Struct, kw_only=True, frozen=True):
    """An item's availability, as the shop states it (topic `items`, key = item id).

    Parameters
    ----------
    item_id
        The item.
    available
        False takes the item out of every list.
    expires_at
        From when on it is out of every list, seconds since the epoch; None: never.
    category
        Free text for the shop's own use; None: none.
    schema_version
        The version of this layout.

    Examples
    --------
    >>> ItemControl(item_id="i1", expires_at=5.0).recommendable(now=6.0)
    False
    """

    item_id: str
    available: bool = True
    expires_at: float | None = None
    category: str | None = None
    schema_version: int = ITEM_SCHEMA_VERSION

    def encode(self) -> bytes:
        """Return the record's value."""
        return _ENCODER.encode(self)

    def recommendable(self, now: float) -> bool:
        """Return whether the item may be in a list at `now` (seconds since the epoch)."""
        return self.available and (self.expires_at is None or now < self.expires_at)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(ItemControl)


def decode_item_control(value: bytes) -> ItemControl:
    """Decode the value of a record of `items`.

    Raises
    ------
    RecordFormatError
        `value` is not an item control record.
    """
    return decode_record(_DECODER, value, ITEM_SCHEMA_VERSION)
