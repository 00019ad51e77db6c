"""What encoders tell the ranker: products of users' and newest items' vectors with candidates'."""

import numpy as np
import pytest
import torch

from gsr.network.encoded_vectors import EncodedVectors, histories_of
from gsr.network.model import JointModel
from gsr.ranker.lookups import Lookups
from tests.gsr.world import World, histories, shoppers, small_config

NOW = 20_000.0


@pytest.fixture
def world() -> World:
    """Return a world that two hundred clicks went through."""
    world = World()
    shoppers(world, 200, np.random.default_rng(0))
    return world


@pytest.fixture
def model(world: World) -> JointModel:
    """Return encoders whose item rows are large enough to matter."""
    model = JointModel(small_config(event_weights=(1.0,), graph_encoder=False), seed=5)
    model.grow(world.graph())
    noise = torch.randn(model.items, model.config.dimension, generator=model.generator)
    model.table.seed(torch.arange(model.items), noise)
    return model


BUFFERS = [[(3, 100.0, 0), (4, 160.0, 0), (5, 1000.0, 0)], [], [(7, 50.0, 0)]]
LOOKUPS = Lookups(
    np.array([[5, 4, 3, -1], [-1, -1, -1, -1], [7, -1, -1, -1]], np.int32),
    np.array(
        [[NOW - 1000, NOW - 160, NOW - 100, 0], [0, 0, 0, 0], [NOW - 50, 0, 0, 0]], np.float32
    ),
    np.array([[1, 2, -1], [5, 6, 7], [23, 24, 7]], np.int32),
    np.full(3, -1, np.int32),
)


def test_clicks_come_back_oldest_first() -> None:
    """With the pauses between them and until now as they were."""
    found, wanted = histories_of(LOOKUPS), histories(BUFFERS, [NOW] * 3, width=4)
    np.testing.assert_array_equal(found.items, wanted.items)
    np.testing.assert_array_equal(found.lengths, wanted.lengths)
    there = wanted.items >= 0
    np.testing.assert_allclose(found.times[there], (wanted.times - NOW)[there])


def test_features_are_products_of_vectors(world: World, model: JointModel) -> None:
    """0 where there is no candidate, no click, or no vector."""
    vectors = EncodedVectors(model, world.graph())
    found = vectors.features(LOOKUPS)
    users = model.user_vectors(histories(BUFFERS, [NOW] * 3), model.encode_items(world.graph()))
    for user, candidates in enumerate(LOOKUPS.candidates):
        newest = LOOKUPS.recent[user, 0]
        for place, item in enumerate(candidates):
            expected = np.zeros(2)
            if 0 <= item < model.items:
                expected[0] = users[user] @ vectors.items[item]
                if newest >= 0:
                    expected[1] = vectors.items[newest] @ vectors.items[item]
            np.testing.assert_allclose(found[user, place], expected, rtol=1e-4, atol=1e-4)
    assert not found[1].any()
    assert found[0, :2].all()


def test_new_items_begin_near_their_neighbours_and_renewed_ones_afresh(
    world: World, model: JointModel
) -> None:
    vectors = EncodedVectors(model, world.graph())
    before = vectors.items.copy()
    world.known += 1
    world.edge(24, 3, 1.0, NOW)
    vectors.grow(world.graph())
    assert len(vectors.items) == 25
    np.testing.assert_array_equal(vectors.items[:24], before)
    assert np.abs(vectors.items[24] - before[3]).max() < 0.2
    vectors.renew(np.array([6]), world.graph())
    changed = np.flatnonzero((vectors.items[:24] != before).any(axis=1))
    assert changed.tolist() == [6]
