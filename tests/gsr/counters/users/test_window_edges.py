"""The rules of edges and close clicks: what a new click is joined to, and by how much."""

from collections import defaultdict

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from tests.gsr.counters.counted import (
    BUY,
    CLICK,
    HIDE,
    HOUR,
    SEEN,
    close_of,
    counters_of,
    edges_of,
    items_of,
    popularity_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    Told,
)


def test_a_window_of_three() -> None:
    """The last three items point to the new one, with 1, 1/2 and 1/3."""
    edges = edges_of(counters_of(walk(1, 2, 3, 4, 5)))
    incoming = {source: worth for (source, target), worth in edges.items() if target == 5}
    assert incoming == pytest.approx({4: 1.0, 3: 0.5, 2: 1 / 3}, rel=1e-6)


def test_no_edge_to_itself() -> None:
    """A repeated item takes its place in the window but gets no edge."""
    edges = edges_of(counters_of(walk(1, 2, 2)))
    assert edges == pytest.approx({(1, 2): 1.5}, rel=1e-6)


def test_event_weights() -> None:
    """What is worth more counts more; what is worth nothing or less only enters the buffer."""
    counters = counters_of(
        [
            Told(0, 1, START, CLICK, 1),
            Told(0, 2, START, SEEN, 2),
            Told(0, 3, START, HIDE, 3),
            Told(0, 4, START, BUY, 4),
        ]
    )
    assert edges_of(counters) == pytest.approx({(1, 4): 3.0}, rel=1e-6)
    assert items_of(counters, 0) == [1, 2, 3, 4]
    assert [popularity_of(counters, item) for item in (1, 2, 3, 4)] == pytest.approx([1, 0, 0, 3])


def test_a_late_click_takes_its_place() -> None:
    """Edges lead to a late click and from it on, at the later click's time."""
    counters = counters_of(
        [
            Told(0, 1, START, CLICK, 1),
            Told(0, 3, START + HOUR, CLICK, 3),
            Told(0, 2, START + 1, CLICK, 2),
        ]
    )
    assert items_of(counters, 0) == [1, 2, 3]
    edges = edges_of(counters, START + HOUR)
    first = 2.0 ** (-(HOUR - 1) / HOUR)
    assert edges == pytest.approx({(1, 3): 1.0, (1, 2): first, (2, 3): 1.0}, rel=1e-6)


def test_a_session_gap_ends_the_window() -> None:
    """A pause as long as the gap is none; a longer one is."""
    config = CounterConfig(half_lives=(HOUR,), session_gap_seconds=60.0)
    assert set(edges_of(counters_of(walk(1, 2, step=60.0), config))) == {(1, 2)}
    assert edges_of(counters_of(walk(1, 2, step=61.0), config)) == {}


def test_a_late_click_weighs_what_follows_it() -> None:
    """An edge counts for the event of the later click, wherever the late one goes."""
    story = [
        Told(0, 1, START, CLICK, 1),
        Told(0, 3, START + 10, BUY, 3),
        Told(0, 2, START + 5, CLICK, 2),
    ]
    edges = edges_of(counters_of(story), START + 10)
    assert {edge: round(worth, 2) for edge, worth in edges.items()} == {
        (1, 3): 3.0,
        (1, 2): 1.0,
        (2, 3): 3.0,
    }


def test_an_item_that_left_keeps_its_place_in_the_window() -> None:
    """It gets no edge, and those before it count by their distance all the same."""
    config = CounterConfig(half_lives=(HOUR,), max_items=2)
    edges = edges_of(counters_of(walk(1, 2, 1, 3, step=1.0), config), START + 3)
    assert edges == pytest.approx({(1, 3): 1.0 + 1 / 3}, rel=1e-3)


def test_close_clicks_count_both_ways() -> None:
    """Either item is close to the other, near or far alike; beyond the reach nothing is."""
    config = CounterConfig(half_lives=(HOUR,), close_clicks=2, close_half_lives=(HOUR,))
    counters = counters_of(walk(1, 2, 3, 4), config)
    pairs = [(1, 2), (1, 3), (2, 3), (2, 4), (3, 4)]
    expected = {pair: 1.0 for a, b in pairs for pair in ((a, b), (b, a))}
    assert close_of(counters) == pytest.approx(expected, rel=1e-6)
    assert edges_of(counters)[1, 4] == pytest.approx(1 / 3, rel=1e-6)  # the window reaches further


def test_close_clicks_reach_further_than_the_window() -> None:
    """What is only close has no weight among what followed."""
    config = CounterConfig(half_lives=(HOUR,), close_clicks=5)
    counters = counters_of(walk(1, 2, 3, 4, 5, 6, 7), config)
    assert (2, 7) in close_of(counters)
    assert (7, 2) in close_of(counters)
    assert (1, 7) not in close_of(counters)
    assert not {(2, 7), (7, 2)} & set(edges_of(counters))


def test_a_late_click_is_close_to_both_sides() -> None:
    """Each pair counts with the weight and at the time of its later click."""
    story = [
        Told(0, 1, START, CLICK, 1),
        Told(0, 3, START + HOUR, BUY, 3),
        Told(0, 2, START + 1, CLICK, 2),
    ]
    close = close_of(counters_of(story), START + HOUR)
    first = 2.0 ** (-(HOUR - 1) / HOUR)
    expected = {(1, 2): first, (1, 3): 3.0, (2, 3): 3.0}
    expected |= {(b, a): worth for (a, b), worth in expected.items()}
    assert close == pytest.approx(expected, rel=1e-6)


def test_close_clicks_end_with_the_session() -> None:
    """A longer pause than the gap parts them, as it ends the window."""
    config = CounterConfig(half_lives=(HOUR,), session_gap_seconds=60.0)
    assert set(close_of(counters_of(walk(1, 2, step=60.0), config))) == {(1, 2), (2, 1)}
    assert close_of(counters_of(walk(1, 2, step=61.0), config)) == {}


def test_an_item_that_left_is_close_to_nothing() -> None:
    """And nothing is close to it."""
    config = CounterConfig(half_lives=(HOUR,), close_half_lives=(HOUR,), max_items=2)
    close = close_of(counters_of(walk(1, 2, 1, 3, step=1.0), config), START + 3)
    assert close == pytest.approx({(1, 3): 2.0, (3, 1): 2.0}, rel=1e-3)


@pytest.mark.parametrize("reach", [2, 7])
def test_close_clicks_are_what_counting_pairs_says(reach: int) -> None:
    """Pairs of positions within the reach, counted one by one in everybody's list of clicks."""
    rng = np.random.default_rng(reach)
    config = CounterConfig(close_clicks=reach, close_half_lives=(1e12,))
    clicks = rng.integers((0, 0), (20, 30), (2000, 2)).tolist()
    story = [Told(user, item, START, CLICK, i) for i, (user, item) in enumerate(clicks)]
    counted: dict[tuple[int, int], float] = defaultdict(float)
    for user in range(20):
        items = [item for whose, item in clicks if whose == user]
        for place, item in enumerate(items):
            for other in items[max(0, place - reach) : place]:
                if other != item:
                    counted[item, other] += 1
                    counted[other, item] += 1
    assert close_of(counters_of(story, config)) == pytest.approx(counted, rel=1e-3)
