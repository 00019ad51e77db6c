"""The published JSON Schemas agree with what is written and read."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.events.clicks.rules import EventRules
from stream.events.records.schemas import NAMES, schema
from tests.stream.events.click_records import NOW, batch_of
from tests.stream.events.records.samples import RECORDS


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
        "list_id": st.sampled_from(["5c2e", "", None, 1, "x" * 256, "x" * 257]),
        "list_position": st.sampled_from([1, 1_000_000, 0, -1, 1_000_001, None, "1", True, 1.5]),
        "schema_version": st.just(1),
    },
)


@settings(deadline=None)
@given(CLICKS)
def test_schema_and_codec_judge_alike(click: dict[str, Any]) -> None:
    """What the schema can say about a click is what the codec does."""
    decoded = ClickCodec(EventRules()).decode(batch_of([json.dumps(click).encode()]), -np.inf)
    assert (len(decoded.clicks) == 1) == validator("click").is_valid(click)
