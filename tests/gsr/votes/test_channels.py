"""The direct channels against slow and obvious arithmetic."""

import math

import numpy as np
import pytest

from gsr.votes.channels import (
    candidate_features,
    channel_count,
    channel_names,
)
from gsr.votes.constants import FLOOR, SQUASH
from gsr.votes.popularity import popularity_levels
from tests.gsr.world import (
    HALF_LIVES,
    World,
    histories,
    popularity_channels,
    sparse_channels,
)


@pytest.fixture
def world() -> World:
    """Return a world in which item 1 followed item 0 twice and item 2 followed it once."""
    world = World(items=5, users=3)
    for user, (item, time) in enumerate([(1, 100.0), (1, 200.0), (2, 300.0)]):
        world.click(user, 0, time)
        world.click(user, item, time + 10.0)
    return world


def test_candidate_features_equal_the_full_channels(world: World) -> None:
    """What is recorded for a candidate is what ranking computes for every item."""
    graph, now = world.graph(), 4000.0
    read = histories([[(2, 20.0, 0), (0, 30.0, 0)]], [now])
    dense, touched = sparse_channels(graph, read, 0)
    levels = np.empty((5, 2))
    popularity_levels(graph, levels)
    candidates = np.array([4, 1, -1, 2])
    out = np.empty((4, channel_count(2)), np.float32)
    candidate_features(levels, graph.half_lives, now, dense, candidates, out)
    assert set(touched) == {1, 2}
    full = np.hstack((popularity_channels(graph, now), dense))
    assert out[[0, 1, 3]] == pytest.approx(full[[4, 1, 2]], rel=1e-6)
    assert not out[2].any()


def test_graph_channels_are_logs_of_decayed_weights(world: World) -> None:
    """Recent clicks fade quickly, those of a history slowly; weights are as the graph has them."""
    graph, now = world.graph(), 4000.0
    read = histories([[(0, 1.0, 0), (3, 2.0, 0), (0, 3.0, 0), (1, 4.0, 0)]], [now])
    dense, _ = sparse_channels(graph, read, 0, history=3, decay=0.9)
    for scale, half_life in enumerate(HALF_LIVES):
        weight = sum(2.0 ** ((t - now) / half_life) for t in (110.0, 210.0))
        recent, history = 0.5 * weight, 0.9 * weight
        assert dense[1, scale] == pytest.approx(math.log1p(SQUASH * recent), rel=1e-5)
        assert dense[1, 2 + scale] == pytest.approx(math.log1p(SQUASH * history), rel=1e-5)


def test_nobody_without_clicks_has_graph_channels(world: World) -> None:
    """No history, no votes; and a row that the graph does not have votes for nothing."""
    for buffer in ([], [(40, 1.0, 0)]):
        _, touched = sparse_channels(world.graph(), histories([buffer], [50.0]), 0)
        assert len(touched) == 0


def test_an_edge_that_decayed_to_nothing_is_not_listed(world: World) -> None:
    """Every listed item has a channel above zero, so none is listed twice."""
    read = histories([[(0, 1.0, 0), (1, 2.0, 0)]], [50.0])
    dense, touched = sparse_channels(world.graph(), read, 0)
    assert len(set(touched)) == len(touched)
    assert (dense[touched].sum(axis=1) > 0.0).all()


def test_channels_have_names() -> None:
    """There are as many names as channels."""
    assert len(channel_names(3)) == channel_count(3)


def test_follower_channels_are_popularity_above_the_floor_of_followers_alone(world: World) -> None:
    """What followed has its popularity a second time, to be taken back; nothing else has it."""
    graph, now = world.graph(), 4000.0
    read = histories([[(0, 30.0, 0)]], [now])
    dense, touched = sparse_channels(graph, read, 0)
    above = popularity_channels(graph, now)[touched] - FLOOR
    assert set(touched) == {1, 2}
    assert dense[touched, 4:6] == pytest.approx(above, rel=1e-5)
    assert not dense[[0, 3, 4]].any()


def test_followers_are_new_until_their_tenth_click(world: World) -> None:
    """The slowest scale counts; an item that followed nothing is not marked."""
    for clicks in range(12):
        world.click(0, 2, 1000.0 + clicks)
    graph = world.graph()
    dense, touched = sparse_channels(graph, histories([[(0, 30.0, 0)]], [1100.0]), 0)
    assert set(touched) == {1, 2}
    assert dense[:, 6].tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]
