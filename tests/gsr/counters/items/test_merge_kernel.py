"""Counters of several partitions joined, and items taken out."""

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from tests.gsr.counters.counted import (
    CLICK,
    HOUR,
    ONE_SCALE,
    close_of,
    counters_of,
    edges_of,
    partition_of,
    popularity_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
)


def test_absorbing_into_nothing_copies() -> None:
    """The first partition's items come over bit by bit."""
    counters = counters_of(walk(*range(20), *range(0, 20, 3), step=400.0))
    copy = Counters(ONE_SCALE, np.array(WEIGHTS))
    assert copy.absorb(partition_of(counters)).tolist() == list(range(20))
    assert edges_of(copy) == edges_of(counters)
    assert close_of(copy) == close_of(counters)
    assert np.array_equal(copy.graph().popularity, counters.graph().popularity)
    assert np.array_equal(copy.graph().last_clicks, counters.graph().last_clicks)


def test_absorbing_sums_partitions() -> None:
    """Counters of several partitions add up, also with references years apart."""
    early = counters_of(walk(1, 2, 3))
    late = counters_of([Told(0, item, START + 50 * HOUR, CLICK, item) for item in (3, 1, 2)])
    both = Counters(ONE_SCALE, np.array(WEIGHTS))
    both.absorb(partition_of(late))
    both.absorb(partition_of(early))
    now = START + 50 * HOUR
    for told in (edges_of, close_of):
        expected = told(late, now)
        for edge, worth in told(early, now).items():
            expected[edge] = expected.get(edge, 0.0) + worth
        assert told(both, now) == pytest.approx(expected, rel=1e-6)
    assert popularity_of(both, 3, now) == pytest.approx(1 + 2.0**-50, rel=1e-6)


def test_counters_without_close_clicks_take_what_followed() -> None:
    """What was only close is no neighbour for them."""
    config = CounterConfig(half_lives=(HOUR,), close_clicks=0, close_half_lives=())
    story = walk(*range(20), *range(0, 20, 3), step=400.0)
    taken = Counters(config, np.array(WEIGHTS))
    taken.absorb(partition_of(counters_of(story)))
    without = counters_of(story, config)
    assert edges_of(taken) == edges_of(without)
    assert taken.graph().row_lengths.tolist() == without.graph().row_lengths.tolist()


def test_taking_items_out_takes_their_edges() -> None:
    """In both directions; what is left of a row keeps its order and must be written."""
    counters = counters_of(walk(1, 2, 3, 4))
    expected = {edge: worth for edge, worth in edges_of(counters).items() if 2 not in edge}
    close = {edge: worth for edge, worth in close_of(counters).items() if 2 not in edge}
    counters.mark_clean()
    counters.remove_items(counters.item_rows(["item-2"]))
    assert edges_of(counters) == expected
    assert close_of(counters) == close
    assert counters.items_removed == 1
    changed = counters.items.columns.row_dirty[: counters.items.used]
    others = [counters.items.find(f"item-{item}") for item in (1, 3, 4)]
    assert np.flatnonzero(changed).tolist() == others


def test_joined_rows_are_trimmed_as_usual() -> None:
    """A row that two partitions fill together stays within its slots."""
    config = CounterConfig(
        half_lives=(HOUR,),
        neighbours=2,
        window_weights=(1.0,),
        close_clicks=0,
        close_half_lives=(),
    )
    both = Counters(config, np.array(WEIGHTS))
    for first in (1, 4):
        story = [
            Told(user, item, START, CLICK, hash_)
            for user, neighbour in enumerate(range(first, first + 3))
            for hash_, item in enumerate([0, neighbour])
        ]
        both.absorb(partition_of(counters_of(story, config)))
    assert set(edges_of(both)) == {(0, 4), (0, 5), (0, 6)}
