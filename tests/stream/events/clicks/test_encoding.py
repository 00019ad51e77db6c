"""Clicks that are encoded are clicks when they are decoded."""

from typing import Any

import numpy as np
import pytest

from stream.events.clicks.codec import ClickCodec, Decoded
from stream.events.clicks.encoding import encode_click, outgoing_clicks
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.rules import EventRules
from stream.log.interface import RecordBatch
from tests.stream.events.click_records import NOW, batch_of

CODEC = ClickCodec(EventRules())


def decode(batch: RecordBatch, watermark: float = -np.inf) -> Decoded:
    return CODEC.decode(batch, watermark)


@pytest.mark.parametrize(
    "text",
    [
        "u",
        "u" * 256,
        "é" * 128,
        "😀" * 64,
        "a\u0000b\n\t\u007f",
        "\u202e\ufeff\uffff",
        "e\u0301",
        '"\\{}[],',
    ],
)
def test_ids_may_be_any_unicode(text: str) -> None:
    """Ids come back as they went in, at the very limits too, and are not normalised."""
    value = encode_click(text, text, NOW, event_id=text)
    decoded = decode(batch_of([value], [text.encode()]))
    assert decoded.bad == []
    assert decoded.clicks.user_ids == decoded.clicks.item_ids == [text]


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": ""},
        {"item_id": "i" * 257},
        {"item_id": "\ud800"},
        {"event_id": ""},
        {"list_id": ""},
        {"list_position": 0},
        {"list_position": 1_000_001},
        {"time": -1.0},
        {"time": float("nan")},
        {"time": float("inf")},
    ],
)
def test_encoding_refuses_what_decoding_would(changes: dict[str, Any]) -> None:
    """A producer hears of its mistake at once."""
    with pytest.raises(ValueError, match=r"."):
        encode_click(**{"user_id": "u1", "item_id": "i1", "time": NOW, **changes})


def test_the_list_goes_along() -> None:
    """A platform may carry the id of the list back, and where on it the item stood."""
    value = encode_click("u1", "i1", NOW, list_id="5c2e", list_position=1_000_000)
    decoded = decode(batch_of([value]))
    assert decoded.bad == []
    assert list(decoded.named.ids) == [b"5c2e"]
    assert decoded.named.positions.tolist() == [1_000_000]


def test_columns_go_out_as_records_and_come_back() -> None:
    """What a file holds is what a topic holds."""
    columns = EventColumns(
        ["u1", "ü2"], ["i1", "i2"], np.array([NOW, NOW + 0.125]), [None, "cart"], ["e1", None]
    )
    records = outgoing_clicks(columns)
    assert [record.key for record in records] == [b"u1", "ü2".encode()]
    decoded = decode(batch_of([r.value for r in records], [r.key for r in records]))
    assert decoded.bad == []
    assert decoded.clicks.user_ids == columns.user_ids
    assert decoded.clicks.times.tolist() == columns.times.tolist()
    assert decoded.clicks.events.tolist() == [0, 2]
