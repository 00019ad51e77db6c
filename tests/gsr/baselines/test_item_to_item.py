"""Rules and item-kNN, against slow and obvious counters."""

import math
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.baselines.item_to_item import WINDOW, ItemToItem
from gsr.baselines.item_to_item_ranks import HEARD, NEARNESS
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import click_stream

HALF_LIVES = (1e5, 1e6)
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 7), st.floats(1.0, 5e4)), min_size=1, max_size=40
)


def obvious_scores(
    events: list[tuple[int, int, float]], history: list[int], half_life: float
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Return rules, item-kNN and popularity by item, from dictionaries of all clicks before."""
    rules: dict[tuple[int, int], float] = defaultdict(float)
    together: dict[tuple[int, int], float] = defaultdict(float)
    popular: dict[int, float] = defaultdict(float)
    buffers: dict[int, list[int]] = defaultdict(list)
    now = 0.0
    for user, item, pause in events:
        now += pause
        amount = 2.0 ** (now / half_life)
        popular[item] += amount
        for back, source in enumerate(buffers[user][::-1][:WINDOW]):
            if source != item:
                rules[source, item] += amount / (back + 1)
                together[source, item] += amount
                together[item, source] += amount
        buffers[user].append(item)
    by_rules: dict[int, float] = defaultdict(float)
    by_cosine: dict[int, float] = defaultdict(float)
    for back, source in enumerate(history[::-1][:HEARD]):
        mass = sum(weight for (first, _), weight in rules.items() if first == source)
        for (first, item), weight in rules.items():
            if first == source:
                by_rules[item] += weight / mass / (back + 1)
        for (first, item), weight in together.items():
            if first == source:
                cosine = weight / math.sqrt(popular[source] * popular[item])
                by_cosine[item] += NEARNESS ** (back + 1) * cosine
    return by_rules, by_cosine, popular


@settings(max_examples=40, deadline=None)
@given(events=EVENTS)
def test_ranks_are_those_of_obvious_counters(events: list[tuple[int, int, float]]) -> None:
    """Between the ranks with ties for and against, as rounding may decide them."""
    clicks, histories = click_stream(events)
    scored = np.ones(len(events), dtype=np.bool_)
    ranks = ItemToItem(HALF_LIVES).rank_and_add(clicks, scored=scored, mask_history=True)
    for i, (_, target, _) in enumerate(events):
        fallback = obvious_scores(events[:i], histories[i], HALF_LIVES[0])[2]
        if target not in fallback:
            assert (ranks[i] == MISS).all()
            continue
        for s, half_life in enumerate(HALF_LIVES):
            found = obvious_scores(events[:i], histories[i], half_life)[:2]
            for kind, scores in enumerate(found):
                others = [j for j in fallback if j not in histories[i] or j == target]
                order = {j: (scores.get(j, 0.0), fallback[j]) for j in others}
                own, popular = order[target]
                surely = sum(
                    score > own * (1 + 1e-9)
                    or (own == score == 0.0 and likes > popular * (1 + 1e-9))
                    for score, likes in order.values()
                )
                at_most = sum(
                    score >= own * (1 - 1e-9) and (score > 0.0 or likes >= popular * (1 - 1e-9))
                    for score, likes in order.values()
                )
                assert surely <= ranks[i, 2 * kind + s] <= max(at_most, surely + 1)


def test_frozen_ranks_count_nothing() -> None:
    """Asking twice gives the same; unknown items are missed."""
    counted = ItemToItem(HALF_LIVES)
    learned, _ = click_stream([(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 1, 1.0)])
    counted.rank_and_add(learned, scored=np.zeros(5, dtype=np.bool_), mask_history=True)
    asked, _ = click_stream([(5, 0, 1.0), (5, 1, 1.0), (5, 7, 1.0)])
    scored = np.array([False, True, True])
    first = counted.rank(asked, scored=scored, mask_history=True)
    assert np.array_equal(first, counted.rank(asked, scored=scored, mask_history=True))
    assert (first[2] == MISS).all()
    assert (first[1] <= 2).all()


def test_a_released_row_is_unknown_again() -> None:
    """Nothing of an item that has left reaches the one that gets its row."""
    counted = ItemToItem(HALF_LIVES)
    learned, _ = click_stream([(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0)])
    counted.rank_and_add(learned, scored=np.zeros(5, dtype=np.bool_), mask_history=True)
    counted.release(np.array([1, 99]))
    asked, _ = click_stream([(5, 0, 1.0), (5, 1, 1.0)])
    scored = np.array([False, True])
    assert (counted.rank(asked, scored=scored, mask_history=True)[1] == MISS).all()
    again, _ = click_stream([(7, 1, 1.0)])
    counted.rank_and_add(again, scored=np.zeros(1, dtype=np.bool_), mask_history=True)
    assert (counted.rank(asked, scored=scored, mask_history=True)[1] == 2).all()
