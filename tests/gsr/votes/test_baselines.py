"""The baselines' counters, against slow and obvious ones."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.item_graph import ItemGraph
from gsr.quality.ranking_metrics import MISS
from gsr.votes.baseline_ranks import CountedClicks
from gsr.votes.baselines import ROW_SLOTS, BaselineCounters
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY

HALF_LIVES = (100.0, 5000.0)
LONG_HALF_LIVES = (1e5, 1e6)  # no count fades so far that rounding decides who is ahead
WINDOW = (1.0, 0.5)
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


def stream(
    events: list[tuple[int, int, float]], weights: list[float] | None = None
) -> tuple[CountedClicks, list[list[int]]]:
    """Turn (user, item, pause) into clicks with histories and edges."""
    buffers: dict[int, list[int]] = defaultdict(list)
    histories, starts, edges = [], [0], []
    now, times = 0.0, []
    for user, item, pause in events:
        now += pause
        times.append(now)
        histories.append(list(buffers[user]))
        for back, share in enumerate(WINDOW):
            if back < len(buffers[user]) and buffers[user][-1 - back] != item:
                edges.append((buffers[user][-1 - back], item, share, now))
        starts.append(len(edges))
        buffers[user].append(item)
    width = max(map(len, histories), default=0) + 1
    padded = np.full((len(events), width), -1, dtype=np.int64)
    for row, history in enumerate(histories):
        padded[row, : len(history)] = history
    columns = list(zip(*edges, strict=True)) or [(), (), (), ()]
    return (
        CountedClicks(
            targets=np.array([item for _, item, _ in events], dtype=np.int64),
            times=np.array(times),
            weights=np.ones(len(events)) if weights is None else np.array(weights),
            histories=padded,
            lengths=np.array([len(history) for history in histories], dtype=np.int64),
            edge_starts=np.array(starts, dtype=np.int64),
            edge_sources=np.array(columns[0], dtype=np.int64),
            edge_targets=np.array(columns[1], dtype=np.int64),
            edge_weights=np.array(columns[2], dtype=np.float64),
            edge_times=np.array(columns[3], dtype=np.float64),
        ),
        histories,
    )


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
    clicks, histories = stream(events)
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
    clicks, histories = stream([(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)], weights=[1.0, -1.0, 1.0])
    scored = np.ones(3, dtype=np.bool_)
    ranks = BaselineCounters(HALF_LIVES).rank_and_add(clicks, scored=scored, mask_history=True)
    assert ranks.tolist() == expected_ranks(clicks, histories, HALF_LIVES, mask=True).tolist()
    assert ranks[2, 0] == 2


def test_centuries_of_half_lives_do_not_overflow() -> None:
    """The reference moves on; what is too long ago counts as nothing."""
    clicks, _ = stream([(0, 0, 0.0), (1, 1, 1e6), (2, 1, 1e6), (3, 2, 1e7)])
    counters = BaselineCounters(HALF_LIVES)
    scored = np.ones(4, dtype=np.bool_)
    ranks = counters.rank_and_add(clicks, scored=scored, mask_history=True)
    assert ranks[2, 0] == 1
    again, _ = stream([(4, 2, 1e7), (5, 1, 0.0)])
    later = again._replace(times=again.times + clicks.times[-1])
    ranks = counters.rank_and_add(later, scored=np.ones(2, dtype=np.bool_), mask_history=True)
    assert ranks[:, 0].tolist() == [1, 3]


def test_clicks_before_counts_within_the_batch_too() -> None:
    """How often an item was clicked includes the batch's own earlier clicks."""
    counters = BaselineCounters(HALF_LIVES)
    clicks, _ = stream([(0, 0, 1.0), (1, 0, 1.0)])
    counters.rank_and_add(clicks, scored=np.zeros(2, dtype=np.bool_), mask_history=True)
    assert counters.clicks_before(np.array([1, 0, 1, 0, 0])).tolist() == [0, 2, 1, 3, 4]


def test_a_released_row_is_unknown_again() -> None:
    """Nothing of an item that has left reaches the one that gets its row."""
    counters = BaselineCounters(HALF_LIVES)
    clicks, _ = stream([(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0), (1, 0, 1.0), (1, 1, 1.0)])
    counters.rank_and_add(clicks, scored=np.zeros(5, dtype=np.bool_), mask_history=True)
    counters.release(np.array([1]))
    assert counters.clicks_before(np.array([1])).tolist() == [0]
    after, _ = stream([(2, 0, 1.0), (2, 1, 1.0), (3, 0, 1.0), (3, 2, 1.0)])
    ranks = counters.rank_and_add(after, scored=np.ones(4, dtype=np.bool_), mask_history=True)
    assert ranks[1, 0] == MISS
    assert ranks[3].max() <= 2


def test_a_crowded_row_keeps_its_heaviest_neighbours() -> None:
    """A row that is full is halved, and goes on."""
    heavy = [event for user in range(20) for event in ((user, 0, 1.0), (user, 1, 1.0))]
    crowd = [
        event
        for user in range(100, 100 + ROW_SLOTS + 10)
        for event in ((user, 0, 1.0), (user, user, 1.0))
    ]
    clicks, _ = stream([*heavy, *crowd, (9999, 0, 1.0), (9999, 1, 1.0)])
    scored = np.zeros(len(clicks.targets), dtype=np.bool_)
    scored[-1] = True
    ranks = BaselineCounters(HALF_LIVES).rank_and_add(clicks, scored=scored, mask_history=True)
    graph_at_long = ranks[-1, len(HALF_LIVES) + 1]
    assert graph_at_long == 1


def test_counters_can_be_seeded_by_a_graph() -> None:
    """After a restart ranks go on from what the state holds."""
    graph = ItemGraph(
        half_lives=np.array(HALF_LIVES),
        row_starts=np.array([0, 2, 2], dtype=np.int64),
        row_lengths=np.array([2, 0, 0], dtype=np.int32),
        row_references=np.array([[3, 0], [0, 0], [0, 0]], dtype=np.int64),
        neighbours=np.array([1, 2], dtype=np.uint32),
        weights=np.array([[1.0, 1.0], [3.0, 3.0]], dtype=np.float32),
        popularity=np.array([[1.0, 5.0], [4.0, 4.0], [2.0, 2.0]], dtype=np.float32),
        popularity_references=np.array([[3, 0], [3, 0], [3, 0]], dtype=np.int64),
        last_clicks=np.array([300.0, 310.0, 320.0]),
        alive=np.array([True, True, True]),
    )
    counters = BaselineCounters(HALF_LIVES)
    counters.seed(graph)
    clicks, _ = stream([(0, 0, 330.0), (0, 1, 1.0)])
    ranks = counters.rank_and_add(clicks, scored=np.ones(2, dtype=np.bool_), mask_history=True)
    popularity, by_graph = ranks[1, :2].tolist(), ranks[1, 2:4].tolist()
    assert popularity == [1, 1]
    assert by_graph == [2, 2]
    with pytest.raises(ValueError, match="empty"):
        counters.seed(graph)


def test_an_empty_graph_seeds_nothing() -> None:
    """A trainer that begins with the first click begins with empty counters."""
    empty = ItemGraph(
        half_lives=np.array(HALF_LIVES),
        row_starts=np.zeros(0, dtype=np.int64),
        row_lengths=np.zeros(0, dtype=np.int32),
        row_references=np.zeros((0, 2), dtype=np.int64),
        neighbours=np.zeros(0, dtype=np.uint32),
        weights=np.zeros((0, 2), dtype=np.float32),
        popularity=np.zeros((0, 2), dtype=np.float32),
        popularity_references=np.zeros((0, 2), dtype=np.int64),
        last_clicks=np.zeros(0),
        alive=np.zeros(0, dtype=np.bool_),
    )
    counters = BaselineCounters(HALF_LIVES)
    counters.seed(empty)
    assert counters.clicks_before(np.array([0])).tolist() == [0]
