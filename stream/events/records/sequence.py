"""The sequence record: a user's last clicks and seen filter, as its topic holds them."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gsr.counters.users.user_buffer import UserBuffer
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


def sequence_record(
    user_id: str,
    buffer: UserBuffer,
    item_ids: Sequence[str | None],
    event_names: Sequence[str],
    partition: int,
    next_offset: int,
) -> SequenceRecord:
    """Return the record of a user's buffer.

    Items that have left the state are no longer named, but stay in the seen filter.
    """
    times = buffer.times.tolist()
    names = [event_names[code] for code in buffer.events.tolist()]
    seen = buffer.seen
    if None in item_ids:
        kept = [at for at, item in enumerate(item_ids) if item is not None]
        gone = np.array([item is None for item in item_ids], dtype=np.bool_)
        seen = np.concatenate([seen, buffer.fingerprints[gone]])
        times = [times[at] for at in kept]
        names = [names[at] for at in kept]
    return SequenceRecord(
        user_id=user_id,
        items=[item for item in item_ids if item is not None],
        times=times,
        events=names,
        seen=pack_seen(seen),
        source_partition=partition,
        source_offset=buffer.source_offset,
        next_offset=next_offset,
        last_click_at=buffer.last_click_at,
        accepted_at=buffer.accepted_at,
    )


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
