"""The copy of a stream's clicks: the same clicks, and none past what may be known."""

from pathlib import Path

import numpy as np
import pytest

from consumers.offline.replay.retraining.click_copy import copied_clicks, copy_clicks
from stream.events.clicks.event_columns import EventColumns


def clicks(count: int) -> EventColumns:
    return EventColumns(
        [f"u{n % 3}" for n in range(count)],
        [f"ï{n}" for n in range(count)],
        np.arange(count) / 7.0,
        [None if n % 2 else "cart" for n in range(count)],
        [None if n % 3 else f"e{n}" for n in range(count)],
    )


@pytest.mark.parametrize("count", [1, 7, 8, 20])
def test_the_first_clicks_come_back_as_they_were(tmp_path: Path, count: int) -> None:
    """Wherever the writer or the reader cuts; the times pass through while it is written."""
    whole, path = clicks(20), tmp_path / "scratch" / "clicks.parquet"
    times = np.concatenate(list(copy_clicks([whole.part(0, 7), whole.part(7, 20)], path)))
    assert (times == whole.times).all()
    parts = list(copied_clicks(path, count, rows=3))
    expected = whole.part(0, count)
    for name in ("user_ids", "item_ids", "times", "events", "event_ids"):
        assert [one for part in parts for one in getattr(part, name)] == list(
            getattr(expected, name)
        )


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    copying = copy_clicks([clicks(3), clicks(3)], tmp_path / "clicks.parquet")
    next(copying)
    copying.close()
    assert list(tmp_path.iterdir()) == []
