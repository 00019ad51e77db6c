"""One record of each of our topics, and how it is decoded, for tests."""

from collections.abc import Callable
from typing import Any

import numpy as np

from stream.events.records.item_control import ItemControl, decode_item_control
from stream.events.records.recommendation import Recommendation, ScoredItem, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence, pack_seen
from tests.stream.events.click_records import NOW

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
    list_id="00c2e0b9f41d7a83",
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
