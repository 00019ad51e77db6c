"""The direct channels against slow and obvious arithmetic."""

import math

import numpy as np
import pytest

from gsr.votes.channels import (
    FLOOR_LOG2,
    MASS_PRIOR,
    NEVER,
    SQUASH,
    candidate_features,
    channel_count,
    channel_names,
    context_count,
    context_of,
    popularity_channels,
    popularity_levels,
    update_level,
)
from tests.gsr.world import HALF_LIVES, World, histories, small_config, sparse_channels

HOUR, DAY = HALF_LIVES


@pytest.fixture
def world() -> World:
    """Return a world in which item 1 followed item 0 twice and item 2 followed it once."""
    world = World(items=5, users=3)
    for user, (item, time) in enumerate([(1, 100.0), (1, 200.0), (2, 300.0)]):
        world.click(user, 0, time)
        world.click(user, item, time + 10.0)
    return world


def test_popularity_is_the_log_of_the_decayed_count(world: World) -> None:
    """Each click of an item counts 2^(-age / half-life)."""
    graph, now = world.graph(), 5000.0
    levels = np.empty((5, 2))
    popularity_levels(graph, levels)
    out = np.empty((5, 2), np.float32)
    popularity_channels(levels, graph.half_lives, now, out)
    for scale, half_life in enumerate(HALF_LIVES):
        count = sum(2.0 ** ((t - now) / half_life) for t in (110.0, 210.0))
        assert out[1, scale] == pytest.approx(math.log(count), rel=1e-5)
    assert out[4] == pytest.approx(FLOOR_LOG2 * math.log(2.0))


def test_popularity_above_the_floor_moves_alike_for_all(world: World) -> None:
    """Waiting shifts every item's channel by one constant, down to the floor."""
    graph = world.graph()
    levels = np.empty((5, 2))
    popularity_levels(graph, levels)
    early, late = np.empty((5, 2), np.float32), np.empty((5, 2), np.float32)
    popularity_channels(levels, graph.half_lives, 1000.0, early)
    popularity_channels(levels, graph.half_lives, 1000.0 + HOUR, late)
    assert late[:3, 0] - early[:3, 0] == pytest.approx(-math.log(2.0), rel=1e-4)
    popularity_channels(levels, graph.half_lives, 1000.0 + 100 * HOUR, late)
    assert late[:, 0] == pytest.approx(FLOOR_LOG2 * math.log(2.0))


def test_a_click_changes_only_its_items_level(world: World) -> None:
    """`update_level` after a click equals computing all levels again."""
    levels, again = np.empty((5, 2)), np.empty((5, 2))
    popularity_levels(world.graph(), levels)
    world.click(0, 4, 400.0)
    update_level(world.graph(), 4, levels)
    popularity_levels(world.graph(), again)
    assert np.array_equal(levels, again)
    assert levels[3, 0] == NEVER


def test_candidate_features_equal_the_full_channels(world: World) -> None:
    """What is recorded for a candidate is what ranking computes for every item."""
    graph, config, now = world.graph(), small_config(), 4000.0
    read = histories([[(2, 20.0, 0), (0, 30.0, 0)]], [now])
    dense, touched = sparse_channels(graph, read, config, 0)
    levels, popularity = np.empty((5, 2)), np.empty((5, 2), np.float32)
    popularity_levels(graph, levels)
    popularity_channels(levels, graph.half_lives, now, popularity)
    candidates = np.array([4, 1, -1, 2])
    out = np.empty((4, channel_count(2)), np.float32)
    candidate_features(levels, graph.half_lives, now, dense, candidates, out)
    assert set(touched) == {1, 2}
    full = np.hstack((popularity, dense))
    assert np.array_equal(out[[0, 1, 3]], full[[4, 1, 2]])
    assert not out[2].any()


def test_graph_channels_are_logs_of_decayed_weights(world: World) -> None:
    """Recent clicks fade quickly, those of a history slowly; weights are as the graph has them."""
    graph, now = world.graph(), 4000.0
    config = small_config(channel_history=3, channel_decay=0.9)
    read = histories([[(0, 1.0, 0), (3, 2.0, 0), (0, 3.0, 0), (1, 4.0, 0)]], [now])
    dense, _ = sparse_channels(graph, read, config, 0)
    for scale, half_life in enumerate(HALF_LIVES):
        weight = sum(2.0 ** ((t - now) / half_life) for t in (110.0, 210.0))
        recent, history = 0.5 * weight, 0.9 * weight
        assert dense[1, scale] == pytest.approx(math.log1p(SQUASH * recent), rel=1e-5)
        assert dense[1, 2 + scale] == pytest.approx(math.log1p(SQUASH * history), rel=1e-5)


def test_nobody_without_clicks_has_graph_channels(world: World) -> None:
    """No history, no votes; and a row that the graph does not have votes for nothing."""
    config = small_config()
    for buffer in ([], [(40, 1.0, 0)]):
        _, touched = sparse_channels(world.graph(), histories([buffer], [50.0]), config, 0)
        assert len(touched) == 0


def test_an_edge_that_decayed_to_nothing_is_not_listed(world: World) -> None:
    """Every listed item has a channel above zero, so none is listed twice."""
    read = histories([[(0, 1.0, 0), (1, 2.0, 0)]], [50.0])
    dense, touched = sparse_channels(world.graph(), read, small_config(), 0)
    assert len(set(touched)) == len(touched)
    assert (dense[touched].sum(axis=1) > 0.0).all()


def test_context_is_zero_without_clicks_and_tells_of_the_last_one(world: World) -> None:
    """Context holds history length, pauses, and the last item's standing in the counters."""
    read = histories([[], [(3, 5.0, 0), (0, 30.0, 0)]], [50.0, 50.0])
    out = np.empty((2, context_count(2)), np.float32)
    graph = world.graph()
    context_of(graph, read.items, read.times, read.lengths, read.now, out)
    assert not out[0].any()
    assert out[1, 0] == 1.0
    assert out[1, 1] == pytest.approx(math.log1p(2))
    two = sum(2.0 ** ((t - 50.0) / DAY) for t in (110.0, 210.0))
    one = 2.0 ** ((310.0 - 50.0) / DAY)
    assert out[1, -1] == pytest.approx(two / (two + one + MASS_PRIOR), rel=1e-4)


def test_channels_have_names() -> None:
    """There are as many names as channels."""
    assert len(channel_names(3)) == channel_count(3)


def test_follower_channels_are_popularity_above_the_floor_of_followers_alone(world: World) -> None:
    """What followed has its popularity a second time, to be taken back; nothing else has it."""
    graph, now = world.graph(), 4000.0
    read = histories([[(0, 30.0, 0)]], [now])
    dense, touched = sparse_channels(graph, read, small_config(), 0)
    levels, popularity = np.empty((5, 2)), np.empty((5, 2), np.float32)
    popularity_levels(graph, levels)
    popularity_channels(levels, graph.half_lives, now, popularity)
    floor = FLOOR_LOG2 * math.log(2.0)
    assert set(touched) == {1, 2}
    assert dense[touched, 4:6] == pytest.approx(popularity[touched] - floor, rel=1e-5)
    assert not dense[[0, 3, 4]].any()


def test_followers_are_new_until_their_tenth_click(world: World) -> None:
    """The slowest scale counts; an item that followed nothing is not marked."""
    for clicks in range(12):
        world.click(0, 2, 1000.0 + clicks)
    graph = world.graph()
    dense, touched = sparse_channels(
        graph, histories([[(0, 30.0, 0)]], [1100.0]), small_config(), 0
    )
    assert set(touched) == {1, 2}
    assert dense[:, 6].tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]
