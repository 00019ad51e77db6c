"""The highest values in order, against a sorted list of all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gsr.baselines.standings import at_least, new_standings, order_again, raise_value

PLACES = 4


@given(raises=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=40))
def test_raised_values_keep_their_order(raises: list[tuple[int, int]]) -> None:
    """Values that grow, equal ones and first ones of 0 included."""
    highest = np.full(PLACES, -np.inf)
    values: dict[int, float] = {}
    for item, more in raises:
        old = values.get(item, -np.inf)
        values[item] = values.get(item, 0.0) + more
        raise_value(highest, old, values[item])
        every = sorted(values.values())[-PLACES:]
        assert highest.tolist() == [-np.inf] * (PLACES - len(every)) + every
        assert at_least(highest, values[item]) == sum(v >= values[item] for v in every)


def test_an_order_can_be_found_anew() -> None:
    """Of the known items only, with room for more than there are."""
    popularity = np.array([[3.0, 1.0], [9.0, 9.0], [1.0, 2.0], [2.0, 3.0]])
    standings = new_standings(2)._replace(popularity=popularity)
    two = order_again(standings, np.array([0, 2, 3]), 2)
    assert two.highest.tolist() == [[2.0, 3.0], [2.0, 3.0]]
    assert order_again(two, np.array([2])).highest.tolist() == [[-np.inf, 1.0], [-np.inf, 2.0]]
    assert (order_again(two, np.zeros(0, dtype=np.int64)).highest == -np.inf).all()
