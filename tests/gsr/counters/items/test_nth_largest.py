"""The n-th largest, against sorting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.items.nth_largest import border_of_largest, nth_largest

NUMBERS = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@settings(deadline=None)
@given(numbers=NUMBERS, data=st.data())
def test_the_nth_largest_is_that_of_a_sorted_list(numbers: list[int], data: st.DataObject) -> None:
    """Ties and all."""
    wanted = data.draw(st.integers(1, len(numbers)))
    values = np.array(numbers, dtype=np.float32)
    assert nth_largest(values, len(values), wanted) == sorted(numbers, reverse=True)[wanted - 1]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=40).flatmap(
        lambda weights: st.tuples(st.just(weights), st.integers(1, len(weights)))
    )
)
def test_the_lightest_that_is_kept(case: tuple[list[int], int]) -> None:
    """The border is the weight that a full sort would put there, ties included."""
    weights, count = case
    room = np.array([*weights, 99.0], dtype=np.float32)
    assert nth_largest(room, len(weights), count) == sorted(weights)[-count]
    assert sorted(room[:-1].tolist()) == sorted(weights)


@settings(deadline=None)
@given(
    numbers=st.lists(
        st.one_of(
            st.floats(2.0**-140, 2.0**120, width=32),
            st.sampled_from([0.0, 0.25, 1.0, 1.00000011920929]),
        ),
        max_size=60,
    ),
    data=st.data(),
)
def test_the_border_parts_the_largest_from_all_others(
    numbers: list[float], data: st.DataObject
) -> None:
    """Equal ones are on one side, nothing that is 0 reaches it, what comes behind is not read."""
    wanted = data.draw(st.integers(1, len(numbers) + 2))
    values = np.array([*numbers, 7.0], dtype=np.float32)
    border = border_of_largest(values.view(np.int32), len(numbers), wanted)
    reached = values[:-1][values[:-1].view(np.int32) >= border]
    positive = sorted((value for value in values[:-1].tolist() if value > 0.0), reverse=True)
    least = positive[min(wanted, len(positive)) - 1] if positive else np.inf
    assert sorted(reached.tolist(), reverse=True) == [one for one in positive if one >= least]
