"""Popularity channels, against slow and obvious arithmetic."""

import math

import numpy as np
import pytest

from gsr.votes.constants import FLOOR, NEVER
from gsr.votes.popularity import (
    popularity_channel,
    popularity_levels,
    update_level,
)
from tests.gsr.world import HALF_LIVES, World

HOUR = HALF_LIVES[0]


@pytest.fixture
def levels() -> np.ndarray:
    """Return the levels of five items, of which item 1 was clicked twice and item 4 never."""
    world = World(items=5, users=1)
    for item, time in ((0, 100.0), (1, 110.0), (1, 210.0), (2, 300.0), (3, 400.0)):
        world.click(0, item, time)
    levels = np.empty((5, 2))
    popularity_levels(world.graph(), levels)
    return levels


@pytest.mark.parametrize("scale", [0, 1])
def test_the_channel_is_the_log_of_the_decayed_count(levels: np.ndarray, scale: int) -> None:
    """Each click of an item counts 2^(-age / half-life)."""
    half_life, now = HALF_LIVES[scale], 5000.0
    count = sum(2.0 ** ((t - now) / half_life) for t in (110.0, 210.0))
    channel = popularity_channel(levels[1, scale], half_life, now)
    assert channel == pytest.approx(math.log(count), rel=1e-5)


def test_above_the_floor_the_channel_moves_alike_for_all(levels: np.ndarray) -> None:
    """Waiting shifts every item's channel by one constant, down to the floor."""
    for level in levels[:4, 0]:
        early = popularity_channel(level, HOUR, 1000.0)
        late = popularity_channel(level, HOUR, 1000.0 + HOUR)
        assert late - early == pytest.approx(-math.log(2.0))
        assert popularity_channel(level, HOUR, 1000.0 + 100 * HOUR) == FLOOR


def test_an_item_without_clicks_lies_at_the_floor(levels: np.ndarray) -> None:
    assert (levels[4] == NEVER).all()
    assert popularity_channel(NEVER, HOUR, 0.0) == FLOOR


def test_a_click_changes_only_its_items_level() -> None:
    """`update_level` after a click equals computing all levels again."""
    world = World(items=5, users=3)
    world.click(0, 2, 300.0)
    levels, again = np.empty((5, 2)), np.empty((5, 2))
    popularity_levels(world.graph(), levels)
    world.click(0, 4, 400.0)
    update_level(world.graph(), 4, levels)
    popularity_levels(world.graph(), again)
    assert np.array_equal(levels, again)
