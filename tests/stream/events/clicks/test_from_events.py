"""Events of a file become the clicks that a topic would give."""

import numpy as np
import pytest

from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.from_events import to_click_batch
from stream.events.clicks.rules import EventRules
from tests.stream.events.click_records import NOW, batch_of

COLUMNS = EventColumns(
    ["u1", "ü", "u1"],
    ["i1", "日本", "i2"],
    np.array([NOW, NOW + 0.1, NOW + 0.1]),
    [None, "purchase", "hide"],
    [None, "e1", None],
)


def test_replay_and_live_see_the_same_clicks() -> None:
    """Every column, hashes too, equals what goes through the topic and the codec."""
    rules = EventRules()
    records = outgoing_clicks(COLUMNS)
    batch = batch_of(
        [record.value for record in records],
        [record.key for record in records],
        first_offset=40,
        append_times=COLUMNS.times.tolist(),
    )
    live = ClickCodec(rules).decode(batch, -np.inf).clicks
    replayed = to_click_batch(COLUMNS, rules, first_offset=40)
    assert replayed.user_ids == live.user_ids
    assert replayed.item_ids == live.item_ids
    for name in ("times", "events", "hashes", "forget", "offsets", "append_times"):
        one, other = getattr(replayed, name), getattr(live, name)
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def test_append_times_may_differ() -> None:
    """Bootstrap may say when the log took the events."""
    appended = COLUMNS.times + 5
    batch = to_click_batch(COLUMNS, EventRules(), 0, appended)
    assert batch.append_times.tolist() == appended.tolist()


def test_unlisted_events_are_refused() -> None:
    """They were checked when the file was read, under the same rules."""
    with pytest.raises(KeyError, match="purchase"):
        to_click_batch(COLUMNS, EventRules(weights={"click": 1.0}), 0)
