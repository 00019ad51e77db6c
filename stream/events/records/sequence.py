"""The sequence record: what is known of a user, for the publisher and for anyone else."""

import base64
import binascii
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from stream.errors import RecordFormatError
from stream.events.records.record_json import decode_record

SEQUENCE_SCHEMA_VERSION: Final = 1


class SequenceRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A user's buffer and seen filter after a micro-batch (topic `sequences`, key = user id).

    Parameters
    ----------
    user_id
        The user.
    items, times, events
        The buffer, oldest first: item ids, event times in seconds since the epoch, event names;
        of equal length.
    seen
        The seen filter: base64 of little-endian uint32 fingerprints (see `unpack_seen`).
    source_partition, source_offset
        The partition of `clicks`, and the offset of the user's newest accepted click in it.
    next_offset
        Every record of the partition before this offset is included.
    last_click_at
        Event time of the user's newest accepted click, seconds since the epoch.
    accepted_at
        When the log took that click, seconds since the epoch.
    schema_version
        The version of this layout.
    """

    user_id: str
    items: list[str]
    times: list[float]
    events: list[str]
    source_partition: int
    source_offset: int
    next_offset: int
    last_click_at: float
    accepted_at: float
    seen: str = ""
    schema_version: int = SEQUENCE_SCHEMA_VERSION

    def encode(self) -> bytes:
        """Return the record's value."""
        return _ENCODER.encode(self)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(SequenceRecord)


def decode_sequence(value: bytes) -> SequenceRecord:
    """Decode the value of a record of `sequences`.

    Raises
    ------
    RecordFormatError
        `value` is not a sequence record.
    """
    record = decode_record(_DECODER, value, SEQUENCE_SCHEMA_VERSION)
    if not len(record.items) == len(record.times) == len(record.events):
        raise RecordFormatError("not a SequenceRecord: items, times and events differ in length")
    return record


def pack_seen(fingerprints: npt.NDArray[np.uint32]) -> str:
    """Return fingerprints (uint32 [n]) as the text that `SequenceRecord.seen` holds.

    Examples
    --------
    >>> pack_seen(np.array([1, 2], dtype=np.uint32))
    'AQAAAAIAAAA='
    """
    return base64.b64encode(fingerprints.astype("<u4", copy=False).tobytes()).decode("ascii")


def unpack_seen(seen: str) -> npt.NDArray[np.uint32]:
    """Return the fingerprints (uint32 [n]) that `pack_seen` packed.

    Raises
    ------
    RecordFormatError
        `seen` is not base64 of whole fingerprints.
    """
    try:
        packed = base64.b64decode(seen, validate=True)
        return np.frombuffer(packed, dtype="<u4").astype(np.uint32)
    except (binascii.Error, ValueError) as error:
        raise RecordFormatError(f"not a seen filter: {error}") from error
