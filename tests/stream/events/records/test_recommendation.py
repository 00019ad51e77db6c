"""The recommendation record."""

import json
from typing import get_args

import msgspec
import pytest

from stream.errors import RecordFormatError
from stream.events.records.recommendation import Reason, decode_recommendation
from tests.stream.events.records.samples import COLD, RECOMMENDATION


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_survives(reason: Reason) -> None:
    """Click, model, items, cold."""
    record = msgspec.structs.replace(RECOMMENDATION, reason=reason)
    assert decode_recommendation(record.encode()).reason == reason


def test_a_reason_that_nobody_knows_is_refused() -> None:
    """As is a list without one."""
    fields = json.loads(RECOMMENDATION.encode())
    for changed in (
        {**fields, "reason": "mood"},
        {k: v for k, v in fields.items() if k != "reason"},
    ):
        with pytest.raises(RecordFormatError, match="reason"):
            decode_recommendation(msgspec.json.encode(changed))


def test_a_cold_list_knows_of_no_click() -> None:
    """Both fields are there, and null: readers need not tell absent from none."""
    fields = json.loads(COLD.encode())
    assert fields["last_click_at"] is None
    assert fields["source_offset"] is None
