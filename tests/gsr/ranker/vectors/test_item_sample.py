"""Samples of items: how often each is drawn, and what that is corrected by."""

import numpy as np
import pytest

from gsr.ranker.vectors import item_sample
from gsr.ranker.vectors.item_sample import ItemSample

NONE = np.zeros(0, dtype=np.int32)


def sample(*clicks: int, size: int = 4) -> ItemSample:
    made = ItemSample(size, np.random.default_rng(0))
    made.reserve(10)
    made.add(np.array(clicks, dtype=np.int32))
    return made


def test_corrections_are_the_logarithm_of_the_chance_to_be_drawn() -> None:
    """Half of the draws are among recent clicks, half among all known rows."""
    made = sample(0, 0, 0, 0, 0, 1, 1, 2, 4)
    drawn = np.zeros(10)
    for _ in range(20_000):
        items, _ = made.draw(NONE)
        drawn[items] += 1
    items, corrections = made.draw(np.array([0, 1, 2, 4], dtype=np.int32))
    assert items.tolist() == [0, 1, 2, 4]
    assert np.allclose(drawn[items] / 20_000, np.exp(corrections), atol=0.015)
    assert drawn[3] == 0


def test_clicked_items_are_always_among_them() -> None:
    """Also the first ones of all, of which nothing was noted."""
    made = sample()
    items, corrections = made.draw(np.array([7, 3, 7], dtype=np.int32))
    assert items.tolist() == [3, 7]
    assert np.isfinite(corrections).all()


def test_a_released_item_is_drawn_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clicks may still stand among the newest, and fall out of them harmlessly."""
    monkeypatch.setattr(item_sample, "KEPT_CLICKS", 3)
    made = sample(1, 1, 2)
    made.release(np.array([1, 99]))
    assert all(made.draw(NONE)[0].tolist() in ([2], []) for _ in range(100))
    made.add(np.array([2, 2], dtype=np.int32))
    assert made.arrays()["counts"][:3].tolist() == [0, 0, 3]


def test_clicks_on_rows_without_room_are_none() -> None:
    made = sample(1)
    made.add(np.array([-1, 10, 2_000_000], dtype=np.int32))
    assert made.arrays()["clicks"].tolist() == [1, 10]


def test_only_the_newest_clicks_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older ones make room, one by one."""
    monkeypatch.setattr(item_sample, "KEPT_CLICKS", 3)
    made = sample(1, 1, 1, 2, 3)
    _, corrections = made.draw(np.array([1, 2, 3], dtype=np.int32))
    assert np.ptp(corrections) < 1e-6
    made.add(np.array([4, -1], dtype=np.int32))
    items, corrections = made.draw(np.array([1, 2, 3, 4], dtype=np.int32))
    assert items.tolist() == [1, 2, 3, 4]
    assert corrections[0] < corrections[1] - 0.1
