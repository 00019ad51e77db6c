"""Ranks of clicked items by the baselines, against slow and obvious counters."""

import math
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counter_ranks import DEEPEST
from gsr.baselines.counters import BaselineCounters, Mix
from gsr.quality.ranking_metrics import MISS
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY
from tests.gsr.baselines.click_streams import click_stream

HALF_LIVES = (100.0, 5000.0)
LONG_HALF_LIVES = (1e5, 1e6)  # no count fades so far that rounding decides who is ahead
UNEQUAL = [Mix(1e5, 1e6, 0.35), Mix(1e6, 1e5, 0.8)]
ROUNDING = 1e-13
"""Sums in another order differ by a smaller share; a second within 1e6 by a larger one."""


class Obvious:
    """Decayed counts in dictionaries, one exponential per click."""

    def __init__(self, counters: BaselineCounters) -> None:
        self.half_lives = counters.half_lives.tolist()
        self.mixes = counters.mixes
        self.clicks: list[tuple[int, float, float]] = []
        self.edges: list[tuple[int, int, float, float]] = []

    def ranks(self, target: int, history: list[int], now: float, *, mask: bool) -> list[int]:
        """Rank by every baseline, in the order of the columns."""
        known = {item for item, _, _ in self.clicks}
        hidden = set(history) if mask else set()
        if target not in known:
            return [MISS] * (2 * len(self.half_lives) + len(self.mixes))
        popular = {h: self.popularity(h, now) for h in self.half_lives}
        graphs = {h: self.votes(h, now, history) for h in self.half_lives}
        ties = popular[min(self.half_lives, key=lambda h: abs(math.log(h / 86_400.0)))]
        scores = [{j: (popular[h][j], 0.0) for j in known} for h in self.half_lives]
        scores += [{j: (graphs[h][j], ties[j]) for j in known} for h in self.half_lives]
        for graph, popularity, share in self.mixes:
            clicks, votes = popular[popularity], graphs[graph]
            a = share / (sum(votes.values()) or 1.0)
            b = (1.0 - share) / sum(clicks.values())
            scores.append({j: (a * votes[j] + b * clicks[j], 0.0) for j in known})
        found = []
        for column in scores:
            first, second = (value * (1 - ROUNDING) for value in column[target])
            most = column[target][0] * (1 + ROUNDING)
            ahead = [
                j
                for j in known - hidden
                if column[j][0] > most or (column[j][0] >= first and column[j][1] >= second)
            ]
            found.append(len(ahead) if len(ahead) <= DEEPEST else MISS)
        return found

    def popularity(self, half_life: float, now: float) -> dict[int, float]:
        """Return the decayed clicks of each item."""
        found: dict[int, float] = defaultdict(float)
        for item, time, weight in self.clicks:
            found[item] += max(weight, 0.0) * 2.0 ** ((time - now) / half_life)
        return found

    def votes(self, half_life: float, now: float, history: list[int]) -> dict[int, float]:
        """Return the decayed weights of edges from the newest clicks, each half the next one's."""
        found: dict[int, float] = defaultdict(float)
        for back, source in enumerate(reversed(history[-RECENT_CLICKS:])):
            for start, end, time, weight in self.edges:
                if start == source:
                    found[end] += RECENT_DECAY**back * weight * 2.0 ** ((time - now) / half_life)
        return found


def expected_ranks(
    clicks: CountedClicks,
    histories: list[list[int]],
    counters: BaselineCounters,
    *,
    mask: bool,
) -> np.ndarray:
    obvious, rows = Obvious(counters), []
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
@given(events=EVENTS, mask=st.booleans(), mixes=st.sampled_from([None, UNEQUAL]))
def test_ranks_are_those_of_obvious_counters(
    events: list[tuple[int, int, float]], mask: bool, mixes: list[Mix] | None
) -> None:
    """Sorted values and sparse votes give the ranks that a full pass over all items gives."""
    clicks, histories = click_stream(events)
    targets = clicks.targets
    scored = np.array(
        [not mask or target not in h for target, h in zip(targets.tolist(), histories, strict=True)]
    )
    counters = BaselineCounters(LONG_HALF_LIVES, mixes)
    ranks = counters.rank_and_add(clicks, scored=scored, mask_history=mask)
    assert (ranks[~scored] == MISS).all()
    expected = expected_ranks(clicks, histories, counters, mask=mask)
    assert ranks[scored].tolist() == expected[scored].tolist()


def test_a_click_without_weight_makes_an_item_known_but_not_popular() -> None:
    """An event of weight 0 or less ranks behind everything that was clicked."""
    clicks, histories = click_stream(
        [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)], weights=[1.0, -1.0, 1.0]
    )
    scored = np.ones(3, dtype=np.bool_)
    counters = BaselineCounters(HALF_LIVES)
    ranks = counters.rank_and_add(clicks, scored=scored, mask_history=True)
    assert ranks.tolist() == expected_ranks(clicks, histories, counters, mask=True).tolist()
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


def test_ranks_are_exact_as_deep_as_promised() -> None:
    """Of 200 items the hundred most popular have a rank, hidden ones not counted; others miss."""
    items = 200
    events = [(1000 + item, item, 0.0) for item in range(items) for _ in range(item + 1)]
    hidden = [(0, item, 0.0) for item in range(items - 1, items - 41, -1)]
    asked = [(0, item, 0.0) for item in (items - 140, items - 141)]
    clicks, _ = click_stream([*events, *hidden, *asked])
    scored = np.zeros(len(clicks.targets), dtype=np.bool_)
    scored[-1] = scored[-2] = True
    counters = BaselineCounters(LONG_HALF_LIVES, UNEQUAL)
    ranks = counters.rank_and_add(clicks, scored=scored, mask_history=True)[-2:]
    assert ranks[0, 0] == DEEPEST
    assert ranks[1, 0] == DEEPEST  # the one before it is hidden by now
    assert (ranks[:, 2] == ranks[:, 0]).all()  # nobody's votes: in the order of popularity
    deeper, _ = click_stream([*events, *hidden, (0, items - 141, 0.0)])
    scored = np.zeros(len(deeper.targets), dtype=np.bool_)
    scored[-1] = True
    ranks = BaselineCounters(LONG_HALF_LIVES, UNEQUAL).rank_and_add(
        deeper, scored=scored, mask_history=True
    )
    assert (ranks[-1] == MISS).all()
