"""Packing of users' clicks without padding."""

import numpy as np
import pytest

from gsr.network.packing import VIEW_DECAY, distinct, pack
from tests.gsr.world import histories

CLICKS = histories(
    [[(3, 10.0, 0), (9, 20.0, 1), (4, 50.0, 2)], [], [(7, 60.0, 1)]], now=[100.0, 100.0, 70.0]
)


def test_clicks_stand_one_after_another() -> None:
    """User by user in order, each with its user, position and event."""
    packed = pack(CLICKS, rows=24)
    assert packed.items.tolist() == [3, 9, 4, 7]
    assert packed.events.tolist() == [0, 1, 2, 1]
    assert packed.row.tolist() == [0, 0, 0, 2]
    assert packed.column.tolist() == [0, 1, 2, 0]
    assert packed.length == 3


def test_pauses_are_those_before_each_click_and_since_the_newest() -> None:
    packed = pack(CLICKS, rows=24)
    assert packed.gaps.tolist() == [0.0, 10.0, 30.0, 0.0]
    assert packed.pauses.tolist() == [50.0, 0.0, 10.0]


def test_users_without_clicks_are_marked() -> None:
    """Their newest click is none, so it points anywhere."""
    packed = pack(CLICKS, rows=24)
    assert packed.present[:, 0].tolist() == [1.0, 0.0, 1.0]
    assert packed.last[[0, 2]].tolist() == [2, 3]
    empty = pack(CLICKS.rows(np.array([1])), rows=24)
    assert len(empty.items) == 0
    assert (empty.length, empty.last.tolist()) == (0, [0])


def test_a_users_votes_fade_and_add_up_to_one() -> None:
    """Each step back counts less by the same factor."""
    votes = pack(CLICKS, rows=24).votes
    assert votes[:3].sum() == pytest.approx(1.0)
    assert votes[1] / votes[2] == pytest.approx(VIEW_DECAY)
    assert votes[0] / votes[1] == pytest.approx(VIEW_DECAY)
    assert votes[3] == 1.0


def test_items_without_a_row_are_left_out() -> None:
    """What remains moves up; the place in the histories stays known."""
    packed = pack(CLICKS, rows=9)
    assert packed.items.tolist() == [3, 4, 7]
    assert packed.column.tolist() == [0, 1, 0]
    assert packed.place.tolist() == [0, 2, 0]
    assert packed.gaps.tolist() == [0.0, 40.0, 0.0]


def test_distinct_rows_are_numbered_in_order_of_sight() -> None:
    """Rows out of range have no number, and the scratch memory is clean again."""
    scratch = np.full(10, -1)
    found, places = distinct(np.array([7, 3, -1, 12, 7]), 10, scratch)
    assert found.tolist() == [7, 3]
    assert places.tolist() == [0, 1, -1, -1, 0]
    assert (scratch == -1).all()
