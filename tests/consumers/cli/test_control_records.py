"""Users are forgotten, and items blocked and allowed, by a record on the log."""

import json

import pytest

from stream.clock import SystemClock
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from tests.consumers.command_line import gsr, values


@pytest.mark.usefixtures("terminal", "topics")
def test_forget_appends_the_forget_record() -> None:
    """A key without a value, after the question was answered."""
    assert gsr("forget", "ann", answer="n\n").exit_code == 1
    assert gsr("forget", "ann", answer="y\n").exit_code == 0
    assert gsr("forget", "bob", "--yes").exit_code == 0
    assert sorted(key or b"" for key, value in values("clicks") if value is None) == [
        b"ann",
        b"bob",
    ]


@pytest.mark.usefixtures("topics")
def test_items_are_blocked_and_allowed() -> None:
    """The newest control record says whether the item is available; the rest of it stays."""
    gsr("items", "block", "tea")
    gsr("items", "allow", "tea")
    records = [json.loads(value or b"") for key, value in values("items") if key == b"tea"]
    assert [record.get("available", True) for record in records] == [False, True]


@pytest.mark.usefixtures("topics")
def test_a_control_that_is_none_is_replaced() -> None:
    """Whatever lies under the item's key, it can be blocked."""
    gsr("items", "block", "tea")
    log = open_log("embedded:run/log", SystemClock())
    log.writer("items").append([Outgoing(b"tea", b'{"schema_version": 99}')])
    log.close()
    result = gsr("items", "block", "tea")
    assert result.exit_code == 0
    assert "replaced" in result.output
    assert json.loads(values("items")[-1][1] or b"")["available"] is False
