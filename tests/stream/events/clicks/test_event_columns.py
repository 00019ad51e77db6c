"""Events column by column."""

import numpy as np

from stream.events.clicks.event_columns import EventColumns

EVENTS = EventColumns(
    ["a", "b", "c"], ["i", "j", "k"], np.arange(3.0), [None, "view", None], ["e", None, None]
)


def test_a_part_is_a_stretch_of_every_column() -> None:
    """From one row up to another."""
    part = EVENTS.part(1, 3)
    assert len(part) == 2
    assert (part.user_ids, part.item_ids, part.times.tolist()) == (["b", "c"], ["j", "k"], [1, 2])
    assert (part.events, part.event_ids) == (["view", None], [None, None])


def test_rows_come_in_the_order_asked_for() -> None:
    """None, one twice, or backwards."""
    assert len(EVENTS.rows([])) == 0
    rows = EVENTS.rows([2, 0, 2])
    assert rows.user_ids == ["c", "a", "c"]
    assert rows.times.tolist() == [2, 0, 2]
    assert rows.event_ids == [None, "e", None]
