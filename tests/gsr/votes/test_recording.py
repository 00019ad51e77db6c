"""Records tell how things stood before each click, whatever comes after it."""

import numpy as np
import pytest

from gsr.config import ModelConfig
from gsr.counters.users.histories import Histories
from gsr.votes.channels import candidate_features, channel_count, context_count, context_of
from gsr.votes.negatives import SharedNegatives
from gsr.votes.popularity import popularity_levels
from gsr.votes.recording import (
    Notes,
    note_level,
    open_notes,
    record_click,
    with_more_room,
)
from tests.gsr.world import World, small_config, sparse_channels

CONFIG: ModelConfig = small_config(channel_history=5)
OWN = 2
SHARED = SharedNegatives(np.array([5, 0, 3]), np.array([-0.5, -0.6, -0.7], np.float32))


@pytest.fixture
def world() -> World:
    """Return a world in which both users clicked items 0, 1, 2 and 3."""
    world = World(items=6, users=3)
    for user in range(2):
        for item in range(4):
            world.click(user, item, 100.0 * user + 10.0 * item)
    world.click(2, 0, 300.0)
    return world


def open_two(world: World) -> tuple[Notes, Histories]:
    """Open notes for three clicks on item 1, of which the middle one is not recorded."""
    read = world.histories([2, 0], [400.0, 500.0]).recent(CONFIG.history_length, (1.0,))
    notes = open_notes(
        world.graph(),
        np.array([0, -1, 1]),
        np.array([1, 1, 1]),
        read,
        read.items,
        SHARED,
        OWN,
        CONFIG,
    )
    return notes, read


def test_a_record_keeps_what_was_known_before_the_click(world: World) -> None:
    """Channels, candidates' features and context are those of the counters at that moment."""
    notes, read = open_two(world)
    graph, now = world.graph(), 400.0
    dense, touched = sparse_channels(graph, read, CONFIG, 0)
    levels, features = np.empty((6, 2)), np.empty((6, channel_count(2)), np.float32)
    popularity_levels(graph, levels)
    context = np.empty((2, context_count(2)), np.float32)
    context_of(graph, read.items, read.times, read.lengths, read.now, context)

    assert record_click(notes, graph, 0, OWN)
    candidate_features(levels, graph.half_lives, now, dense, notes.candidates[0], features)
    world.click(2, 1, now)
    assert record_click(notes, world.graph(), 1, OWN)
    world.click(0, 1, now + 50.0)

    first, last = notes.channel_starts[:2]
    assert notes.channel_items[first:last].tolist() == touched.tolist()
    assert np.array_equal(notes.channel_values[first:last], dense[touched])
    assert np.array_equal(notes.features[0], features)
    assert np.array_equal(notes.context[0], context[0])
    assert not notes.dense.any()


def test_candidates_are_the_target_own_neighbours_and_shared_negatives(world: World) -> None:
    """Nothing that the user has seen is compared with the target, and nothing twice."""
    notes, _ = open_two(world)
    record_click(notes, world.graph(), 0, OWN)
    assert notes.candidates[0].tolist() == [1, 2, -1, 5, -1, 3]
    assert notes.log_inclusion[0] == pytest.approx([0.0, 0.0, 0.0, -0.5, 0.0, -0.7])


def test_with_too_little_room_a_click_is_recorded_again(world: World) -> None:
    """The second attempt leaves what the first would have left."""
    notes, _ = open_two(world)
    tight = notes._replace(
        channel_items=notes.channel_items[:1].copy(),
        channel_values=notes.channel_values[:1].copy(),
    )
    assert record_click(notes, world.graph(), 0, OWN)
    expected = notes.channel_items[: notes.channel_starts[1]].tolist()
    attempts = 0
    while not record_click(tight, world.graph(), 0, OWN):
        tight = with_more_room(tight)
        attempts += 1
    assert attempts >= 1
    assert tight.channel_items[: tight.channel_starts[1]].tolist() == expected


def test_each_click_leaves_the_level_of_its_item(world: World) -> None:
    """So that popularity can be played again from the first levels."""
    notes, _ = open_two(world)
    levels = np.empty((6, 2))
    for click in range(3):
        world.click(2, 1, 400.0 + click)
        note_level(notes, world.graph(), click)
        popularity_levels(world.graph(), levels)
        assert np.array_equal(notes.levels_after[click], levels[1])
        assert np.array_equal(notes.levels, levels)
    assert (notes.first_levels[1] < levels[1]).all()
