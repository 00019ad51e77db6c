"""The edge rule: which earlier and later clicks a new one is joined to, and by how much."""

import pytest

from gsr.counters.config import CounterConfig
from tests.gsr.counters.counted import (
    BUY,
    CLICK,
    HIDE,
    HOUR,
    SEEN,
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
