"""What a clicked item is compared with."""

import numpy as np
import pytest

from gsr.votes.negatives import draw_negatives, list_candidates
from tests.gsr.world import World


def test_listed_chances_are_true() -> None:
    """Over many draws each item is listed as often as its log chance says."""
    rng = np.random.default_rng(0)
    popularity, alive = np.array([100.0, 10.0, 1.0, 0.0, 5.0]), np.array([1, 1, 1, 1, 0], bool)
    listed, chance = np.zeros(5), np.zeros(5)
    for _ in range(3000):
        drawn = draw_negatives(popularity, alive, 3, 0.4, rng)
        real = drawn.rows >= 0
        listed[drawn.rows[real]] += 1
        chance[drawn.rows[real]] = np.exp(drawn.log_inclusion[real])
    assert listed / 3000 == pytest.approx(chance, abs=0.03)
    assert listed[4] == 0


def test_an_empty_catalogue_gives_no_negatives() -> None:
    """Every place is free."""
    drawn = draw_negatives(np.zeros(2), np.zeros(2, bool), 3, 0.5, np.random.default_rng(0))
    assert drawn.rows.tolist() == [-1, -1, -1]


def test_candidates_are_distinct_and_unseen() -> None:
    """Target first, then the heaviest own neighbours, then the shared ones that are new."""
    dense = np.array([[0.0], [3.0], [1.0], [2.0], [4.0], [0.0], [0.0]], np.float32)
    candidates, log_inclusion = np.empty(7, np.int64), np.empty(7, np.float32)
    list_candidates(
        World(items=7).graph(),
        3,
        dense,
        np.array([1, 2, 3, 4]),
        4,
        2,
        np.array([4]),
        np.array([3, 1, 5, 4]),
        np.array([-0.1, -0.2, -0.3, -0.4], np.float32),
        candidates,
        log_inclusion,
    )
    assert candidates.tolist() == [3, 1, 2, -1, -1, 5, -1]
    assert log_inclusion == pytest.approx([0, 0, 0, 0, 0, -0.3, 0])
