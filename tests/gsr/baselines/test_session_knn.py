"""Session kNN: neighbours vote, sessions end, and what is to be forgotten is."""

import math

import numpy as np
import pytest

from gsr.baselines.session_knn import SessionKnn, SessionKnnConfig
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import click_stream

Event = tuple[int, int, float]


def small(gap_seconds: float = math.inf) -> SessionKnnConfig:
    """Return settings with little memory."""
    return SessionKnnConfig(gap_seconds=gap_seconds, kept_clicks=64, kept_sessions=16)


def last_ranks(events: list[Event], config: SessionKnnConfig) -> list[int]:
    """Return the ranks of the last of the events."""
    clicks, _ = click_stream(events)
    scored = np.ones(len(events), dtype=np.bool_)
    knn = SessionKnn(config)
    ranks: list[int] = knn.rank_and_add(clicks, scored=scored, mask_history=True)[-1].tolist()
    return ranks


def test_a_session_with_a_shared_item_votes_for_its_others() -> None:
    """Item 2 is less popular than 1 but was clicked beside 0."""
    events = [(1, 0, 1.0), (1, 2, 1.0), *[(u, 1, 1.0) for u in (5, 6, 7)], (9, 0, 1.0), (9, 2, 1.0)]
    assert last_ranks(events, small()) == [1, 1, 1]


def test_a_long_pause_ends_a_session() -> None:
    """With a gap, items before and after the pause are no neighbours: popularity ranks."""
    events = [(1, 0, 1.0), (1, 2, 99.0), *[(u, 1, 1.0) for u in (5, 6)], (9, 0, 1.0), (9, 2, 1.0)]
    assert last_ranks(events, small(50.0)) == [2, 2, 2]
    assert last_ranks(events, small(100.0)) == [1, 1, 1]


def test_the_oldest_sessions_are_dropped_first() -> None:
    """Beyond the bounds on clicks or sessions nothing votes any more."""
    crowd = [(u, 1, 1.0) for u in range(20, 30)]
    events = [(1, 0, 1.0), (1, 2, 1.0), *crowd, (9, 0, 1.0), (9, 2, 1.0)]
    assert last_ranks(events, small()) == [1, 1, 1]
    assert last_ranks(events, SessionKnnConfig(kept_clicks=8, kept_sessions=16)) == [2, 2, 2]
    few = SessionKnnConfig(kept_clicks=64, kept_sessions=8)
    assert last_ranks(events, few) == [2, 2, 2]


def test_a_released_row_is_unknown_again() -> None:
    """Sessions that held an item do not vote for the one that gets its row."""
    knn = SessionKnn(small())
    before, _ = click_stream([(1, 0, 1.0), (1, 2, 1.0), (5, 1, 1.0), (6, 1, 1.0)])
    knn.rank_and_add(before, scored=np.zeros(4, dtype=np.bool_), mask_history=True)
    knn.release(np.array([2]))
    after, _ = click_stream([(9, 0, 5.0), (9, 2, 1.0), (8, 0, 1.0), (8, 2, 1.0), (7, 2, 1.0)])
    first = knn.rank(after, scored=np.ones(5, dtype=np.bool_), mask_history=True)
    assert first[1].tolist() == [MISS, MISS, MISS]
    lone, _ = click_stream([(7, 2, 8.0), (3, 0, 1.0), (3, 2, 1.0)])
    ranks = knn.rank_and_add(lone, scored=np.ones(3, dtype=np.bool_), mask_history=True)
    assert ranks[2].tolist() == [2, 2, 2]


def test_a_click_without_weight_adds_nothing() -> None:
    """It is no part of a session."""
    clicks, _ = click_stream(
        [(1, 0, 1.0), (1, 2, 1.0), (5, 1, 1.0), (9, 0, 1.0), (9, 2, 1.0)], [1.0, 0.0, 1.0, 1.0, 1.0]
    )
    knn = SessionKnn(small())
    ranks = knn.rank_and_add(clicks, scored=np.ones(5, dtype=np.bool_), mask_history=True)
    assert ranks[4].tolist() == [2, 2, 2]


def test_only_what_came_after_the_shared_click_votes_in_the_third_kind() -> None:
    """Item 2 came before item 0 in the neighbour's session: it is no follower of it."""
    events = [(1, 2, 1.0), (1, 0, 1.0), *[(u, 1, 1.0) for u in (5, 6)], (9, 0, 1.0), (9, 2, 1.0)]
    assert last_ranks(events, small()) == [1, 1, 2]


def test_room_that_is_no_power_of_two_is_refused() -> None:
    """The place of a click would be wrong."""
    with pytest.raises(ValueError, match="kept_clicks must be a power of two: 100"):
        SessionKnnConfig(kept_clicks=100)


def test_an_item_without_votes_is_ranked_by_popularity_as_far_as_lists_go() -> None:
    """Behind a hundred others it counts as not found."""
    for others, wanted in ((98, 100), (99, MISS)):
        crowd = [(u, item, 1.0) for item in range(2, 2 + others) for u in (1000, 1001)]
        events = [*crowd, (1, 0, 1.0), (2, 1, 1.0), (2, 0, 1.0)]
        knn = SessionKnn()
        clicks, _ = click_stream(events)
        scored = np.arange(len(events)) == len(events) - 1
        ranks = knn.rank_and_add(clicks, scored=scored, mask_history=False)[-1]
        assert ranks.tolist() == [wanted] * 3
