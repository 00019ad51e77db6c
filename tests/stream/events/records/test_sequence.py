"""The sequence record and its seen filter."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import RecordFormatError
from stream.events.records.sequence import decode_sequence, pack_seen, unpack_seen
from tests.stream.events.records.samples import SEQUENCE


def test_a_sequence_has_equally_long_columns() -> None:
    """A record that contradicts itself is refused."""
    fields = json.loads(SEQUENCE.encode())
    with pytest.raises(RecordFormatError, match="differ in length"):
        decode_sequence(msgspec.json.encode({**fields, "times": [1.0]}))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1)))
def test_seen_filters_pack_and_unpack(fingerprints: list[int]) -> None:
    """All fingerprints come back in order."""
    packed = pack_seen(np.array(fingerprints, dtype=np.uint32))
    assert unpack_seen(packed).tolist() == fingerprints


@pytest.mark.parametrize("seen", ["AQ==", "?", "é", "AQAAAAIAAAA"])
def test_a_damaged_seen_filter_is_refused(seen: str) -> None:
    """Not base64, or not whole fingerprints."""
    with pytest.raises(RecordFormatError, match="seen filter"):
        unpack_seen(seen)
