"""What the model reads of a buffer."""

import numpy as np

from tests.gsr.world import histories

WEIGHTS = (1.0, 1.0, 2.0, 3.0, 0.0, -1.0)


def test_only_events_with_a_positive_weight_are_read() -> None:
    """Seen-only, hidden and unknown events are skipped; order and times stay."""
    raw = histories([[(7, 1.0, 0), (8, 2.0, 4), (9, 3.0, 5), (5, 4.0, 99), (6, 5.0, 2)]], [9.0])
    read = raw.recent(4, WEIGHTS)
    assert read.items.tolist() == [[7, 6, -1, -1]]
    assert read.times.tolist() == [[1.0, 5.0, 0.0, 0.0]]
    assert read.events.tolist() == [[0, 2, 0, 0]]
    assert read.lengths.tolist() == [2]


def test_the_newest_clicks_are_kept() -> None:
    """A longer buffer loses its oldest clicks, an empty one stays empty."""
    raw = histories([[(item, float(item), 0) for item in range(10)], []], [99.0, 99.0])
    read = raw.recent(3, WEIGHTS)
    assert read.items.tolist() == [[7, 8, 9], [-1, -1, -1]]
    assert read.lengths.tolist() == [3, 0]


def test_reading_twice_changes_nothing() -> None:
    """What was read can be read again."""
    raw = histories([[(1, 1.0, 0), (2, 2.0, 4), (3, 3.0, 1)]], [9.0])
    once = raw.recent(4, WEIGHTS)
    twice = once.recent(4, WEIGHTS)
    assert np.array_equal(once.items, twice.items)
    assert np.array_equal(once.times, twice.times)
