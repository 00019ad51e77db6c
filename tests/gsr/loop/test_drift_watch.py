"""A look at the loop says how far stream and model have moved since the look before."""

import numpy as np
import pytest

from gsr.loop.drift_watch import DriftWatch
from tests.gsr.loop.world import ITEMS, batch_of, loop_of, ring


def test_the_first_look_has_nothing_to_compare_with() -> None:
    """Movements are zero; what needs no comparison is there."""
    loop = loop_of()
    watch = DriftWatch(loop)
    loop.advance(ring(200))
    loop.test()
    figures = watch.look()
    assert figures.popularity_psi == figures.embedding_movement == figures.graph_churn == 0.0
    assert figures.new_item_share == ITEMS / 200
    assert 0.5 < figures.catalogue_coverage <= 1.0
    assert figures.time == loop.mirror.arrays.watermark


def test_nothing_moves_while_nothing_happens() -> None:
    """Two looks in a row find the same."""
    loop = loop_of()
    loop.advance(ring(200))
    loop.test()
    watch = DriftWatch(loop)
    before, after = watch.look(), watch.look()
    assert after.popularity_psi == after.graph_churn == after.new_item_share == 0.0
    assert after.embedding_movement == pytest.approx(0.0, abs=1e-6)
    assert after.catalogue_coverage == before.catalogue_coverage


def test_a_stream_that_turns_elsewhere_is_seen() -> None:
    """Other items are clicked, and some of the old ones get other neighbours."""
    loop = loop_of()
    watch = DriftWatch(loop)
    loop.advance(ring(300))
    watch.look()
    loop.advance(ring(100, start=18_000.0))
    steady = watch.look()
    rng = np.random.default_rng(0)
    users = [f"v{n}" for n in range(20)]
    items = [f"i{n}" for n in range(5)] + [f"j{n}" for n in range(5)]
    loop.advance(
        batch_of(
            [(users[n % 20], items[int(rng.integers(10))], 40_000.0 + 60.0 * n) for n in range(200)]
        )
    )
    turned = watch.look()
    assert turned.popularity_psi > 1.0 > steady.popularity_psi
    assert 0.0 < turned.graph_churn < 1.0
    assert turned.new_item_share == 5 / 200


def test_learning_moves_the_items_vectors() -> None:
    """By what a cycle did to them."""
    loop = loop_of()
    loop.advance(ring(200))
    loop.test()
    loop.learn()
    watch = DriftWatch(loop)
    watch.look()
    loop.advance(ring(100, start=12_000.0, seed=1))
    loop.test()
    loop.learn()
    assert 0.0 < watch.look().embedding_movement < 1.0


def test_without_users_no_list_covers_anything() -> None:
    """Coverage is zero before the first test."""
    assert DriftWatch(loop_of()).look().catalogue_coverage == 0.0
