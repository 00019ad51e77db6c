"""Votes and what becomes of them, against slow and obvious arithmetic."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gsr.votes.constants import (
    FLOOR,
    LARGEST_DECAY_LOG2,
    NEW_LOG2,
    RECENT_CLICKS,
    RECENT_DECAY,
    SQUASH,
)
from gsr.votes.graph_votes import (
    add_votes,
    decay_factor,
    fill_channels,
    recent_share,
)
from tests.gsr.world import HALF_LIVES, World


@pytest.fixture
def world() -> World:
    """Return a world in which items 1 and 2 followed item 0, and item 2 followed item 1."""
    world = World(items=4, users=2)
    world.edge(0, 1, 2.0, 0.0)
    world.edge(0, 2, 1.0, 0.0)
    world.edge(1, 2, 4.0, 0.0)
    return world


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_votes_are_weights_times_shares_added_up_by_kind(world: World, dtype: type) -> None:
    """Each click adds its row, decayed by scale, as much as it counts in each kind of vote."""
    votes: npt.NDArray[np.floating[Any]] = np.zeros((4, 2 * 2 + 1), dtype)
    touched = np.zeros(4, np.int64)
    graph, factors = world.graph(), np.array([1.0, 0.5])
    count = add_votes(graph, 0, factors, (1.0, 1.0), votes, touched, 0)
    count = add_votes(graph, 1, factors, (0.5, 0.25), votes, touched, count)
    assert touched[:count].tolist() == [1, 2]
    assert votes[1].tolist() == [2.0, 1.0, 2.0, 1.0, 1.0]
    assert votes[2].tolist() == [1.0 + 2.0, 0.5 + 1.0, 1.0 + 1.0, 0.5 + 0.5, 1.0]
    assert not votes[[0, 3]].any()


def test_an_edge_that_has_faded_to_nothing_is_not_listed(world: World) -> None:
    """An item is listed by the first click that has a vote above zero for it, and only once."""
    votes, touched = np.zeros((4, 3), np.float32), np.zeros(4, np.int64)
    nothing, something = np.full(2, 1e-60), np.ones(2)
    assert add_votes(world.graph(), 0, nothing, (1.0,), votes, touched, 0) == 0
    assert add_votes(world.graph(), 1, something, (1.0,), votes, touched, 0) == 1
    assert add_votes(world.graph(), 1, something, (1.0,), votes, touched, 1) == 1
    assert touched[0] == 2


def test_recent_clicks_are_few_and_fade_quickly() -> None:
    shares = [recent_share(back) for back in range(RECENT_CLICKS + 1)]
    assert shares == [*(RECENT_DECAY**back for back in range(RECENT_CLICKS)), 0.0]


def test_weights_decay_by_half_lives_within_limits(world: World) -> None:
    """However long ago, the factor neither vanishes nor overflows."""
    graph = world.graph()
    for scale, half_life in enumerate(HALF_LIVES):
        assert decay_factor(graph, 0, scale, 3 * half_life) == 2.0**-3
        assert decay_factor(graph, 0, scale, 1e12) == 2.0**-LARGEST_DECAY_LOG2
        assert decay_factor(graph, 0, scale, -1e12) == 2.0**LARGEST_DECAY_LOG2


@pytest.mark.parametrize(("clicks_log2", "new"), [(NEW_LOG2 - 0.1, 1.0), (NEW_LOG2, 0.0)])
def test_channels_are_squashed_votes_popularity_and_newness(clicks_log2: float, new: float) -> None:
    """Votes may be what rounding left below zero: then they are none."""
    votes = np.array([[0.0] * 7, [3.0, 0.5, 4.0, -1e-9, 0.0, 0.0, 1.0]], np.float32)
    fill_channels(votes, 1, np.array([FLOOR, FLOOR + 2.0]), clicks_log2, votes, 1)
    squashed = [math.log1p(SQUASH * vote) for vote in (3.0, 0.5, 4.0, 0.0)]
    assert votes[1] == pytest.approx([*squashed, 0.0, 2.0, new])
    assert not votes[0].any()
