"""Records of this and of later versions, and foreign ones."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from stream.errors import RecordFormatError
from stream.events.records.item_control import decode_item_control
from stream.events.records.recommendation import decode_recommendation
from stream.events.records.sequence import decode_sequence
from tests.stream.events.records.samples import RECORDS


@pytest.mark.parametrize(("name", "record", "decode"), RECORDS)
def test_fields_to_come_are_ignored_and_versions_to_come_refused(
    name: str, record: Any, decode: Callable[[bytes], Any]
) -> None:
    """An additional field does no harm; a newer schema version asks for an upgrade."""
    fields = json.loads(record.encode())
    assert decode(msgspec.json.encode({**fields, "new": {"field": 1}})) == record
    with pytest.raises(RecordFormatError, match="upgrade"):
        decode(msgspec.json.encode({**fields, "schema_version": 2}))


@pytest.mark.parametrize("decode", [decode_sequence, decode_recommendation, decode_item_control])
@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"{}", b"\xff", b'{"item_id":1}', b"[" * 9999])
def test_foreign_records_are_refused(decode: Callable[[bytes], Any], value: bytes) -> None:
    """Whatever else is on the topic is an error of ours, never a crash."""
    with pytest.raises(RecordFormatError, match="not a"):
        decode(value)
