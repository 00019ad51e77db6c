"""Every learned click with a successor comes once a pass."""

import numpy as np

from gsr.counters.interactions import Interactions, gather_interactions
from gsr.learning.user_batches import UserBatches


def _clicks(lengths: list[int]) -> Interactions:
    count = sum(lengths)
    return gather_interactions(
        np.repeat(np.arange(len(lengths)), lengths),
        np.arange(count),
        np.arange(count).astype(float),
        np.zeros(count, np.uint8),
        user_count=len(lengths),
        item_count=count,
    )


def test_a_pass_has_every_position_once() -> None:
    """But for users without a click to predict, and clicks older than what is read."""
    clicks = _clicks([4, 1, 0, 9, 2, 3, 30])
    batches = UserBatches(clicks, clicks.starts[1:], 7, 5, np.random.default_rng(0))
    for _ in range(3):
        found = np.sort(np.concatenate([windows.positions for windows in batches]))
        expected = [0, 1, 2, *range(6, 13), 14, 16, 17, *range(41, 48)]
        assert found.tolist() == expected


def test_batches_are_as_large_as_asked_and_hold_users_of_like_length() -> None:
    rng = np.random.default_rng(1)
    lengths = rng.integers(2, 20, 400)
    clicks = _clicks(lengths.tolist())
    batches = UserBatches(clicks, clicks.starts[1:], 50, 100, rng)
    sizes, filled = [], []
    for windows in batches:
        sizes.append(len(windows.positions))
        filled.append(len(windows.positions) / (len(windows.packed.last) * windows.packed.length))
    assert max(sizes) <= 100 + 19
    assert np.mean(sizes) > 75
    assert np.mean(filled) > 0.8


def test_the_order_changes_from_pass_to_pass() -> None:
    clicks = _clicks([5] * 40)
    batches = UserBatches(clicks, clicks.starts[1:], 50, 20, np.random.default_rng(2))
    first, second = ([windows.positions.tolist() for windows in batches] for _ in range(2))
    assert first != second


def test_without_anything_to_learn_there_are_no_batches() -> None:
    clicks = _clicks([1, 1])
    assert not list(UserBatches(clicks, clicks.starts[1:], 50, 20, np.random.default_rng(3)))
