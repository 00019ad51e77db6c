"""Neighbourhoods cut out of the live graph."""

import numpy as np
import pytest

from gsr.network.neighbour_sampler import NeighbourSampler
from gsr.votes.constants import MASS_PRIOR
from tests.gsr.world import World

NOW = 1000.0


@pytest.fixture
def world() -> World:
    """Item 0 leads to 1, 2, 3 with weights 4, 2, 1; item 1 leads to 0."""
    world = World(items=6)
    for target, amount in ((1, 4.0), (2, 2.0), (3, 1.0)):
        world.edge(0, target, amount, NOW)
    world.edge(1, 0, 1.0, NOW)
    return world


def test_the_heaviest_neighbours_are_taken(world: World) -> None:
    """Asked rows lead; edges point from neighbour to asked row and carry shares."""
    block = NeighbourSampler(2).sample(world.graph(), np.array([0, 5]), NOW, 6)
    assert block.rows.tolist() == [0, 5, 1, 2]
    assert block.rows[block.sources].tolist() == [1, 2]
    assert block.targets.tolist() == [0, 0]
    assert block.shares[:, 0] == pytest.approx([4 / (7 + MASS_PRIOR), 2 / (7 + MASS_PRIOR)])


def test_dead_and_unknown_neighbours_are_left_out(world: World) -> None:
    """Items without a row in the table, and expired ones, send nothing."""
    graph = world.graph()
    graph.alive[2] = False
    block = NeighbourSampler(9).sample(graph, np.array([0]), NOW, 3)
    assert block.rows.tolist() == [0, 1]


def test_scratch_memory_is_clean_between_calls(world: World) -> None:
    """The same call gives the same answer twice."""
    sampler, graph = NeighbourSampler(3), world.graph()
    first = sampler.sample(graph, np.array([1, 0]), NOW, 6)
    second = sampler.sample(graph, np.array([1, 0]), NOW, 6)
    assert first.rows.tolist() == second.rows.tolist() == [1, 0, 2, 3]
