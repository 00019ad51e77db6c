"""Ranks of clicked items by the baselines, against slow and obvious counters."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counters import BaselineCounters
from gsr.quality.ranking_metrics import MISS
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY
from tests.gsr.baselines.click_streams import click_stream

HALF_LIVES = (100.0, 5000.0)
LONG_HALF_LIVES = (1e5, 1e6)  # no count fades so far that rounding decides who is ahead
ROUNDING = 1e-13
"""Sums in another order differ by a smaller share; a second within 1e6 by a larger one."""


class Obvious:
    """Decayed counts in dictionaries, one exponential per click."""

    def __init__(self, half_lives: tuple[float, ...]) -> None:
        self.half_lives = half_lives
        self.clicks: list[tuple[int, float, float]] = []
        self.edges: list[tuple[int, int, float, float]] = []

    def ranks(self, target: int, history: list[int], now: float, *, mask: bool) -> list[int]:
        """Rank by every baseline at every half-life."""
        known = {item for item, _, _ in self.clicks}
        hidden = set(history) if mask else set()
        if target not in known:
            return [MISS] * 3 * len(self.half_lives)
        columns: list[list[int]] = [[], [], []]
        for half_life in self.half_lives:
            popularity: dict[int, float] = defaultdict(float)
            graph: dict[int, float] = defaultdict(float)
            for item, time, weight in self.clicks:
                popularity[item] += max(weight, 0.0) * 2.0 ** ((time - now) / half_life)
            for back, source in enumerate(reversed(history[-RECENT_CLICKS:])):
                for start, end, time, weight in self.edges:
                    if start == source:
                        decayed = weight * 2.0 ** ((time - now) / half_life)
                        graph[end] += RECENT_DECAY**back * decayed
            popular, voted = sum(popularity.values()), sum(graph.values())
            share = popular / voted if voted > 0.0 else 0.0
            mix = {item: popularity[item] + share * graph[item] for item in known}
            for column, scores in zip(columns, (popularity, graph, mix), strict=True):
                own = scores[target] * (1 - ROUNDING)
                column.append(sum(scores[j] >= own for j in known if j not in hidden))
        return [rank for column in columns for rank in column]


def expected_ranks(
    clicks: CountedClicks,
    histories: list[list[int]],
    half_lives: tuple[float, ...],
    *,
    mask: bool,
) -> np.ndarray:
    obvious, rows = Obvious(half_lives), []
    for i, target in enumerate(clicks.targets.tolist()):
        now = float(clicks.times[i])
        rows.append(obvious.ranks(target, histories[i], now, mask=mask))
        obvious.clicks.append((target, now, float(clicks.weights[i])))
        for edge in range(clicks.edge_starts[i], clicks.edge_starts[i + 1]):
            obvious.edges.append(
                (
                    int(clicks.edge_sources[edge]),
                    int(clicks.edge_targets[edge]),
                    float(clicks.edge_times[edge]),
                    float(clicks.edge_weights[edge]),
                )
            )
    return np.array(rows)


EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 9), st.sampled_from([0.0, 1.0, 60.0, 3000.0])),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(events=EVENTS, mask=st.booleans())
def test_ranks_are_those_of_obvious_counters(
    events: list[tuple[int, int, float]], mask: bool
) -> None:
    """Sorted values and sparse votes give the ranks that a full pass over all items gives."""
    clicks, histories = click_stream(events)
    targets = clicks.targets
    scored = np.array(
        [not mask or target not in h for target, h in zip(targets.tolist(), histories, strict=True)]
    )
    ranks = BaselineCounters(LONG_HALF_LIVES).rank_and_add(clicks, scored=scored, mask_history=mask)
    assert (ranks[~scored] == MISS).all()
    expected = expected_ranks(clicks, histories, LONG_HALF_LIVES, mask=mask)
    assert ranks[scored].tolist() == expected[scored].tolist()


def test_a_click_without_weight_makes_an_item_known_but_not_popular() -> None:
    """An event of weight 0 or less ranks behind everything that was clicked."""
    clicks, histories = click_stream(
        [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)], weights=[1.0, -1.0, 1.0]
    )
    scored = np.ones(3, dtype=np.bool_)
    ranks = BaselineCounters(HALF_LIVES).rank_and_add(clicks, scored=scored, mask_history=True)
    assert ranks.tolist() == expected_ranks(clicks, histories, HALF_LIVES, mask=True).tolist()
    assert ranks[2, 0] == 2


def test_centuries_of_half_lives_do_not_overflow() -> None:
    """The reference moves on; what is too long ago counts as nothing."""
    clicks, _ = click_stream([(0, 0, 0.0), (1, 1, 1e6), (2, 1, 1e6), (3, 2, 1e7)])
    counters = BaselineCounters(HALF_LIVES)
    scored = np.ones(4, dtype=np.bool_)
    ranks = counters.rank_and_add(clicks, scored=scored, mask_history=True)
    assert ranks[2, 0] == 1
    again, _ = click_stream([(4, 2, 1e7), (5, 1, 0.0)])
    later = again._replace(times=again.times + clicks.times[-1])
    ranks = counters.rank_and_add(later, scored=np.ones(2, dtype=np.bool_), mask_history=True)
    assert ranks[:, 0].tolist() == [1, 3]
