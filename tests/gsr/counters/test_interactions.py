"""Clicks gathered by user and time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsr.counters.interactions import Interactions, gather_interactions

USERS, ITEMS = 4, 6

CLICKS = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), st.integers(0, 3)), max_size=40
)


def gathered(clicks: list[tuple[int, int, int]]) -> Interactions:
    """Gather (user, item, time) rows; each click's event is its row's number."""
    columns = np.array(clicks, dtype=np.int64).reshape(-1, 3)
    return gather_interactions(
        columns[:, 0],
        columns[:, 1],
        columns[:, 2].astype(np.float64),
        np.arange(len(clicks), dtype=np.uint8),
        user_count=USERS,
        item_count=ITEMS,
    )


@given(CLICKS)
def test_clicks_lie_by_user_and_time_and_ties_in_the_order_of_the_file(
    clicks: list[tuple[int, int, int]],
) -> None:
    """Against Python's own stable sort."""
    interactions = gathered(clicks)
    rows = sorted(range(len(clicks)), key=lambda row: (clicks[row][0], clicks[row][2]))
    assert interactions.events.tolist() == rows
    assert interactions.users.tolist() == [clicks[row][0] for row in rows]
    assert interactions.items.tolist() == [clicks[row][1] for row in rows]
    assert interactions.times.tolist() == [clicks[row][2] for row in rows]
    assert interactions.lengths.tolist() == [
        sum(user == each for user, _, _ in clicks) for each in range(USERS)
    ]
    assert (len(interactions), interactions.user_count) == (len(clicks), USERS)


@given(CLICKS, st.integers(0, 5))
def test_shuffling_moves_clicks_only_among_their_ties(
    clicks: list[tuple[int, int, int]], seed: int
) -> None:
    """Users and times stay; the set of (item, event) of each user and time stays."""
    before = gathered(clicks)
    after = before.shuffled_ties(np.random.default_rng(seed))

    def ties(interactions: Interactions) -> list[tuple[int, ...]]:
        columns = (interactions.users, interactions.times, interactions.items, interactions.events)
        return sorted(zip(*(column.tolist() for column in columns), strict=True))

    assert after.starts.tolist() == before.starts.tolist()
    assert after.times.tolist() == before.times.tolist()
    assert ties(after) == ties(before)


def test_a_seed_decides_the_order_of_ties_and_every_order_comes_up() -> None:
    interactions = gathered([(0, 0, 1), (0, 1, 1), (0, 2, 1)])
    orders = [
        tuple(interactions.shuffled_ties(np.random.default_rng(seed)).items.tolist())
        for seed in range(60)
    ]
    again = interactions.shuffled_ties(np.random.default_rng(7))
    assert len(set(orders)) == 6
    assert tuple(again.items.tolist()) == orders[7]


@pytest.mark.parametrize(
    ("user", "item", "time", "message"),
    [
        (USERS, 0, 0.0, "users must lie from 0 to 3"),
        (-1, 0, 0.0, "users must lie"),
        (0, ITEMS, 0.0, "items must lie from 0 to 5"),
        (0, 0, float("nan"), "not a number"),
    ],
)
def test_what_cannot_be_gathered_is_refused(
    user: int, item: int, time: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gather_interactions(
            np.array([user]),
            np.array([item]),
            np.array([time]),
            np.zeros(1, dtype=np.uint8),
            user_count=USERS,
            item_count=ITEMS,
        )
