"""The part of a sequence record that decides whether its user is due for a list."""

from typing import Final

import msgspec

from stream.events.records.record_json import decode_record
from stream.events.records.sequence import SEQUENCE_SCHEMA_VERSION


class SequenceFacts(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A `SequenceRecord` without its lists, which are skipped in decoding.

    Parameters
    ----------
    user_id, source_offset, last_click_at, accepted_at, schema_version
        As in the record.
    """

    user_id: str
    source_offset: int
    last_click_at: float
    accepted_at: float
    schema_version: int = SEQUENCE_SCHEMA_VERSION


_DECODER: Final = msgspec.json.Decoder(SequenceFacts)


def decode_sequence_facts(value: bytes) -> SequenceFacts:
    """Decode the facts of a sequence record's value.

    Raises
    ------
    RecordFormatError
        `value` is not a sequence record.
    """
    return decode_record(_DECODER, value, SEQUENCE_SCHEMA_VERSION)
