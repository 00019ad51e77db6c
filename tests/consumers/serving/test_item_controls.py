"""Taken-down and expired items are noticed once, and come back when they may."""

import numpy as np
import pytest

from consumers.serving.item_controls import ItemControls
from stream.events.records.item_control import ItemControl
from stream.log.interface import RecordBatch


def test_take_down_and_return() -> None:
    """A block is news once; so is its end, through `take_changed`."""
    controls = ItemControls()
    controls.put("a", ItemControl(item_id="a", available=False), now=1.0)
    assert controls.take_newly_blocked(1.0) == {"a"}
    assert controls.take_newly_blocked(1.0) == set()
    assert controls.take_changed()
    assert not controls.take_changed()
    controls.put("a", ItemControl(item_id="a"), now=2.0)
    assert controls.blocked == set()
    assert controls.take_changed()


def test_expiry_comes_with_time() -> None:
    """Nothing has to arrive for an item to expire; a later expiry replaces an earlier."""
    controls = ItemControls()
    controls.put("a", ItemControl(item_id="a", expires_at=10.0), now=1.0)
    controls.put("b", ItemControl(item_id="b", expires_at=10.0), now=1.0)
    controls.put("b", ItemControl(item_id="b", expires_at=20.0), now=2.0)
    assert controls.take_newly_blocked(9.9) == set()
    assert controls.take_newly_blocked(10.0) == {"a"}
    assert controls.take_newly_blocked(20.0) == {"b"}


def test_a_block_that_ended_at_once_is_no_news() -> None:
    """What is available again before anyone looked needs no new lists."""
    controls = ItemControls()
    controls.put("a", ItemControl(item_id="a", available=False), now=1.0)
    controls.put("a", None, now=1.0)
    assert controls.take_newly_blocked(1.0) == set()


def test_a_record_that_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Rubbish on the topic is said, not fatal; its neighbours count."""
    good = ItemControl(item_id="b", available=False).encode()
    batch = RecordBatch(
        "items", 0, np.arange(3), np.zeros(3), [b"a", b"b", b"\xff"], [b"{", good, None]
    )
    controls = ItemControls()
    controls.apply(batch, now=1.0)
    assert controls.blocked == {"b"}
    assert "'a'" in caplog.text
