"""Users' own clicks in a ring, against a list for everyone."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.baselines.ranker.own_clicks import (
    NONE,
    WAYS,
    OwnClicks,
    forget_items,
    newest_of,
    no_own_clicks,
    note_click,
    still_kept,
)


def own_items(own: OwnClicks, user: int) -> list[int]:
    """Return a user's item rows in the ring, newest first."""
    found = []
    number = newest_of(own, np.uint64(user))
    while still_kept(own, number):
        found.append(int(own.items[number % len(own.items)]))
        number = int(own.before[number % len(own.items)])
    return found


@settings(deadline=None)
@given(clicks=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=50))
def test_own_clicks_are_those_that_are_in_the_ring(clicks: list[tuple[int, int]]) -> None:
    """Newest first, as far as the ring reaches; an item that left is none."""
    own = no_own_clicks(16, 1)
    everyone: dict[int, list[int]] = defaultdict(list)
    for number, (user, item) in enumerate(clicks):
        note_click(own, np.uint64(user), item, float(number))
    for user, item in clicks[-16:]:
        everyone[user].insert(0, item)
    for user in range(5):
        assert own_items(own, user) == everyone[user]
    forget_items(own, np.array([3]))
    for user in range(5):
        assert own_items(own, user) == [-1 if item == 3 else item for item in everyone[user]]


def test_who_clicked_longest_ago_is_forgotten_in_a_full_bucket() -> None:
    """The table keeps its size."""
    own = no_own_clicks(64, 1)
    for user in range(WAYS):
        note_click(own, np.uint64(user), user, 0.0)
    note_click(own, np.uint64(0), 7, 1.0)
    note_click(own, np.uint64(100), 9, 2.0)
    assert newest_of(own, np.uint64(1)) == NONE
    assert own_items(own, 0) == [7, 0]
    assert own_items(own, 100) == [9]
