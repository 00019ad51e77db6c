"""The bounded memory of samples."""

import dataclasses

import numpy as np
import pytest

from gsr.learning.reservoir import Reservoir
from gsr.learning.samples import Samples, join
from tests.gsr.world import World, shoppers, small_config


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Return some hundred samples, numbered by their user hashes."""
    found = join(shoppers(World(), 400, np.random.default_rng(0), small_config()))
    return dataclasses.replace(found, user_hashes=np.arange(len(found), dtype=np.uint64))


def test_what_goes_in_comes_out(samples: Samples) -> None:
    """Rows exactly, features and ages rounded."""
    reservoir, rng = Reservoir(2**24), np.random.default_rng(1)
    reservoir.add(samples, rng)
    drawn = reservoir.draw(50, rng)
    assert drawn is not None
    expected = samples.rows(drawn.user_hashes.astype(np.int64))
    assert len(set(drawn.user_hashes)) == 50
    assert np.array_equal(drawn.candidates, expected.candidates)
    assert np.array_equal(drawn.histories.items, expected.histories.items)
    assert np.array_equal(drawn.edge_sources, expected.edge_sources)
    assert drawn.features == pytest.approx(expected.features, rel=1e-3)
    assert drawn.histories.times == pytest.approx(expected.histories.times, abs=1e-2)


def test_memory_stays_within_its_limit(samples: Samples) -> None:
    """Old samples make room at random; new ones are all there at first."""
    reservoir, rng = Reservoir(60_000), np.random.default_rng(1)
    for _ in range(5):
        for start in range(0, len(samples), 40):
            reservoir.add(samples.rows(np.arange(start, min(start + 40, len(samples)))), rng)
            assert reservoir.nbytes <= 60_000
    assert 20 < len(reservoir) < len(samples)
    drawn = reservoir.draw(10_000, rng)
    assert drawn is not None
    assert len(drawn) == len(reservoir)
    ages = drawn.user_hashes.astype(int)
    assert ages.min() < len(samples) // 2 < ages.max()


def test_no_room_keeps_nothing(samples: Samples) -> None:
    """A limit below one sample switches replay off."""
    reservoir, rng = Reservoir(10), np.random.default_rng(1)
    reservoir.add(samples, rng)
    assert len(reservoir) == 0
    assert reservoir.draw(5, rng) is None


def test_columns_round_trip(samples: Samples) -> None:
    """A reloaded reservoir draws the same samples."""
    one, rng = Reservoir(2**20), np.random.default_rng(1)
    one.add(samples, rng)
    other = Reservoir(2**20)
    other.load(one.columns())
    drawn = [r.draw(30, np.random.default_rng(2)) for r in (one, other)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert np.array_equal(drawn[0].user_hashes, drawn[1].user_hashes)
    smaller = Reservoir(30_000)
    smaller.load(one.columns())
    assert 0 < len(smaller) < len(one)
