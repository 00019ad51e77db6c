"""The part of a sequence record that decides whether its user is due."""

import pytest

from consumers.roles.publisher.sequence_facts import decode_sequence_facts
from stream.errors import RecordFormatError
from tests.consumers.roles.publisher.records import sequence_of


def test_the_facts_are_those_of_the_record() -> None:
    """Nothing else of it is taken apart."""
    record = sequence_of("u", source_offset=7, clicked_at=100.0)
    facts = decode_sequence_facts(record.encode())
    names = ("user_id", "source_offset", "last_click_at", "accepted_at", "schema_version")
    for name in names:
        assert getattr(facts, name) == getattr(record, name)


@pytest.mark.parametrize("value", [b"{oops", b"[]", b'{"user_id": "u"}', b""])
def test_what_is_no_sequence_is_refused(value: bytes) -> None:
    with pytest.raises(RecordFormatError):
        decode_sequence_facts(value)
