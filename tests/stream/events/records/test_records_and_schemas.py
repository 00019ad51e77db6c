"""The records of our topics: codecs that agree with the published schemas."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import RecordFormatError
from stream.events.clicks.click import EventRules
from stream.events.clicks.codec import ClickCodec, encode_click
from stream.events.records.item_control import ItemControl, decode_item_control
from stream.events.records.recommendation import Recommendation, ScoredItem, decode_recommendation
from stream.events.records.schemas import NAMES, schema
from stream.events.records.sequence import SequenceRecord, decode_sequence, pack_seen, unpack_seen
from tests.stream.events.click_records import NOW, batch_of

SEQUENCE = SequenceRecord(
    user_id="ü1",
    items=["i1", "i2"],
    times=[NOW - 1, NOW],
    events=["click", "cart"],
    seen=pack_seen(np.array([1, 2**32 - 1], dtype=np.uint32)),
    source_partition=2,
    source_offset=8,
    next_offset=9,
    last_click_at=NOW,
    accepted_at=NOW + 0.5,
)
RECOMMENDATION = Recommendation(
    user_id="ü1",
    items=[ScoredItem("i1", 2.5), ScoredItem("i2", -1e-9)],
    model_version=4,
    generated_at=NOW,
    last_click_at=NOW - 1,
    reason="model",
    source_offset=8,
)
COLD = Recommendation(user_id="", items=[], model_version=0, generated_at=NOW, reason="cold")
ITEM = ItemControl(item_id="i1", available=False, expires_at=NOW, category="books")

RECORDS: list[tuple[str, Any, Callable[[bytes], Any]]] = [
    ("sequence", SEQUENCE, decode_sequence),
    ("recommendation", RECOMMENDATION, decode_recommendation),
    ("recommendation", COLD, decode_recommendation),
    ("item", ITEM, decode_item_control),
    ("item", ItemControl(item_id="i1"), decode_item_control),
]


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_valid_and_so_are_their_examples(name: str) -> None:
    """Each schema obeys its draft, describes every field and accepts its own examples."""
    loaded = schema(name)
    jsonschema.Draft202012Validator.check_schema(loaded)
    assert loaded["$id"] == f"urn:gsr:{name}:1"
    assert all("description" in field for field in loaded["properties"].values())
    for example in loaded["examples"]:
        validator(name).validate(example)


@pytest.mark.parametrize(("name", "record", "decode"), RECORDS)
def test_records_survive_the_way_and_obey_their_schema(
    name: str, record: Any, decode: Callable[[bytes], Any]
) -> None:
    """What is encoded validates, has exactly the schema's fields and decodes to the same."""
    value = record.encode()
    assert decode(value) == record
    fields = json.loads(value)
    validator(name).validate(fields)
    assert fields.keys() == schema(name)["properties"].keys()


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


def test_an_item_is_recommendable_while_available_and_unexpired() -> None:
    """The moment of expiry itself is too late."""
    assert ItemControl(item_id="i").recommendable(NOW)
    assert not ItemControl(item_id="i", available=False).recommendable(NOW)
    assert ItemControl(item_id="i", expires_at=NOW).recommendable(NOW - 1)
    assert not ItemControl(item_id="i", expires_at=NOW).recommendable(NOW)


@pytest.mark.parametrize("event", [None, "click", "purchase"])
@pytest.mark.parametrize("event_id", [None, "e1"])
def test_encoded_clicks_obey_the_schema(event: str | None, event_id: str | None) -> None:
    """Producers that use our encoder are within the contract."""
    validator("click").validate(json.loads(encode_click("ü", "i", NOW + 0.5, event, event_id)))


CLICKS = st.fixed_dictionaries(
    {
        "user_id": st.just("u1") | st.integers(),
        "item_id": st.sampled_from(["i1", "", 1, None, "i" * 256, "i" * 257]),
        "timestamp": st.sampled_from(
            [NOW, 0, -1, True, None, [1], "", "1506826800", "1 Oct", "2017-10-01"]
        )
        | st.sampled_from(["2017-10-01T03:00:00Z", "2017-10-01 03:00:00.5+01:00"]),
    },
    optional={
        "event": st.sampled_from(["click", "", None, 1]),
        "event_id": st.sampled_from(["e1", "", None, 1]),
        "schema_version": st.just(1),
    },
)


@settings(deadline=None)
@given(CLICKS)
def test_schema_and_codec_judge_alike(click: dict[str, Any]) -> None:
    """What the schema can say about a click is what the codec does."""
    decoded = ClickCodec(EventRules()).decode(batch_of([json.dumps(click).encode()]), -np.inf)
    assert (len(decoded.clicks) == 1) == validator("click").is_valid(click)
