"""Lists of popular items, against sorting all items after every click."""

from typing import NamedTuple, cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.baselines.ranker.candidates import new_workspace, room_for_described
from gsr.baselines.ranker.counts import RankerCounts
from gsr.baselines.ranker.describe_and_add import describe_and_add
from gsr.baselines.ranker.features import HALF_LIVES
from gsr.counters.items.item_columns import ItemColumns
from gsr.ranker.popular_items import by_popularity, popular_first
from tests.gsr.baselines.click_streams import click_stream

EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([1.0, 60.0, 3e3, 1e5, 1e8])),
    min_size=1,
    max_size=60,
)
LISTED = 3


class Popularity(NamedTuple):
    """The columns of items that tell how popular they are."""

    popularity: np.ndarray
    popularity_references: np.ndarray


@settings(deadline=None, max_examples=40)
@given(events=EVENTS, leaving=st.integers(0, 9))
def test_lists_hold_the_most_popular(events: list[tuple[int, int, float]], leaving: int) -> None:
    """On every scale, in order, also after an item has left."""
    clicks, _ = click_stream(events)
    counts = RankerCounts(LISTED)
    counts.reserve_items(10)
    counts.reserve_edges(64)  # far more than needed
    done = describe_and_add(
        0,
        clicks,
        np.zeros(len(events), dtype=np.bool_),
        True,
        True,
        np.inf,
        LISTED,
        -1,
        counts.arrays(),
        new_workspace(counts.room),
        room_for_described(len(events) + 1, 768 * (len(events) + 1)),
    )
    assert done == len(events)
    for gone in ([], [leaving]):
        counts.release(np.array(gone, dtype=np.int64))
        popular = counts.arrays().popular
        for scale, half_life in enumerate(HALF_LIVES):
            levels: dict[int, float] = {}
            for item, time in zip(clicks.targets.tolist(), clicks.times.tolist(), strict=True):
                if item not in gone:
                    # log2 of sums of powers of two, which may be far out of float's range
                    level = time / half_life
                    levels[item] = float(np.logaddexp2(levels.get(item, -np.inf), level))
            listed = popular.rows[scale, : popular.counts[scale]].tolist()
            assert len(set(listed)) == len(listed) == min(LISTED, len(levels))
            expected = sorted(levels.values(), reverse=True)[:LISTED]
            assert np.allclose([levels[item] for item in listed], expected, rtol=1e-9, atol=1e-6)


@given(
    levels=st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), max_size=40),
    ordered=st.integers(0, 45),
)
def test_the_most_popular_come_first_and_nobody_is_left_out(
    levels: list[tuple[int, int]], ordered: int
) -> None:
    """Some have no popularity, many the same."""
    columns = Popularity(
        np.array([[level] for level, _ in levels], dtype=np.float32).reshape(-1, 1),
        np.array([[reference] for _, reference in levels], dtype=np.int64).reshape(-1, 1),
    )
    items, rows = cast("ItemColumns", columns), np.arange(len(levels))[::2]
    whole = by_popularity(items, rows, 0).tolist()
    found = popular_first(items, rows, 0, ordered).tolist()
    assert found[:ordered] == whole[:ordered]
    assert sorted(found) == rows.tolist()
    assert by_popularity(items, rows, 0, ordered or None).tolist() == whole[: ordered or None]
