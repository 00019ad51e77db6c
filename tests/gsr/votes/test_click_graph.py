"""The graph of a fixed set of clicks holds what users clicked one after another, and no more."""

from collections import Counter, defaultdict

import numpy as np

from gsr.counters.interactions import Interactions, gather_interactions
from gsr.votes.click_graph import BACKWARD, FORWARD, count_clicks

WINDOW = (1.0, 0.5)


def _clicks(count: int, items: int, seed: int = 4) -> Interactions:
    rng = np.random.default_rng(seed)
    return gather_interactions(
        np.repeat(np.arange(count // 5), 5),
        rng.integers(0, items, count),
        np.sort(rng.integers(0, 60, count)).astype(np.float64),
        np.zeros(count, np.uint8),
        user_count=count // 5,
        item_count=items,
    )


def test_edges_and_popularity_are_those_of_the_clicks_before_the_ends() -> None:
    clicks = _clicks(100, 6)
    ends = clicks.starts[1:] - 1
    graph = count_clicks(clicks, ends, WINDOW)
    followed: defaultdict[tuple[int, int], float] = defaultdict(float)
    clicked: Counter[int] = Counter()
    for start, end in zip(clicks.starts[:-1], ends, strict=True):
        items = clicks.items[start:end].tolist()
        clicked.update(items)
        for distance, weight in enumerate(WINDOW, start=1):
            for before, after in zip(items, items[distance:], strict=False):
                if before != after:
                    followed[before, after] += weight
    for item in range(6):
        first = graph.row_starts[item]
        row = slice(first, first + graph.row_lengths[item])
        found = zip(graph.neighbours[row].tolist(), graph.weights[row], strict=True)
        for other, weights in found:
            assert weights[FORWARD] == followed[item, other]
            assert weights[BACKWARD] == followed[other, item]
        assert graph.popularity[item].tolist() == [clicked[item]] * 2
    assert graph.weights[:, FORWARD].sum() == sum(followed.values())


def test_nothing_counted_is_an_empty_graph() -> None:
    clicks = _clicks(100, 6)
    graph = count_clicks(clicks, clicks.starts[:-1], WINDOW)
    assert len(graph.neighbours) == 0
    assert not graph.popularity.any()
