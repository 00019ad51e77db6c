"""The n-th largest, against sorting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.items.nth_largest import BUCKETS, nth_largest, nth_largest_positive

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
            st.floats(2.0**-140, 2.0**120, width=32), st.sampled_from([0.25, 1.0, 1.00000011920929])
        ),
        min_size=1,
        max_size=60,
    ),
    data=st.data(),
)
def test_so_is_that_of_positive_ones(numbers: list[float], data: st.DataObject) -> None:
    """Also of the smallest, of equal ones, and again with the same histogram."""
    histogram = np.zeros(BUCKETS, dtype=np.int64)
    for _ in range(2):
        wanted = data.draw(st.integers(1, len(numbers)))
        values = np.array([*numbers, 7.0], dtype=np.float32)
        expected = np.sort(values[:-1])[-wanted]
        found = nth_largest_positive(
            values, values.view(np.uint32), histogram, len(numbers), wanted
        )
        assert found == expected
        assert not histogram.any()
        assert values[-1] == 7.0
