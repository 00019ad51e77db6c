"""The baselines' counters: they begin, go on and forget as the state does."""

import numpy as np
import pytest

from gsr.baselines.counters import HALF_LIVES as GRID
from gsr.baselines.counters import MIXES, BaselineCounters, Mix
from gsr.baselines.long_rows import ROW_SLOTS
from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import click_stream

HALF_LIVES = (100.0, 5000.0)


def test_a_released_row_is_unknown_again() -> None:
    """Nothing of an item that has left reaches the one that gets its row."""
    counters = BaselineCounters(HALF_LIVES)
    clicks, _ = click_stream([(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0), (1, 0, 1.0), (1, 1, 1.0)])
    counters.rank_and_add(clicks, scored=np.zeros(5, dtype=np.bool_), mask_history=True)
    counters.release(np.array([1]))
    after, _ = click_stream([(2, 0, 1.0), (2, 1, 1.0), (3, 0, 1.0), (3, 2, 1.0)])
    ranks = counters.rank_and_add(after, scored=np.ones(4, dtype=np.bool_), mask_history=True)
    assert ranks[1, 0] == MISS
    assert ranks[3].max() <= 2


def test_a_crowded_row_keeps_its_heaviest_neighbours() -> None:
    """A row that is full is trimmed, and goes on."""
    heavy = [event for user in range(20) for event in ((user, 0, 1.0), (user, 1, 1.0))]
    crowd = [
        event
        for user in range(100, 100 + ROW_SLOTS + 10)
        for event in ((user, 0, 1.0), (user, user, 1.0))
    ]
    clicks, _ = click_stream([*heavy, *crowd, (9999, 0, 1.0), (9999, 1, 1.0)])
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
        close_half_lives=np.zeros(0),
    )
    counters = BaselineCounters(HALF_LIVES)
    counters.seed(graph)
    clicks, _ = click_stream([(0, 0, 330.0), (0, 1, 1.0)])
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
        close_half_lives=np.zeros(0),
    )
    counters = BaselineCounters(HALF_LIVES)
    counters.seed(empty)


def test_ranking_without_counting_changes_nothing() -> None:
    """What a frozen test ranks is what the next click would get; unknown items are missed."""
    counters = BaselineCounters(HALF_LIVES)
    learned, _ = click_stream([(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 0, 1.0)])
    counters.rank_and_add(learned, scored=np.zeros(5, dtype=np.bool_), mask_history=True)
    asked, _ = click_stream([(5, 0, 1.0), (5, 1, 1.0), (5, 7, 1.0)])
    scored = np.array([False, True, True])
    frozen = counters.rank(asked, scored=scored, mask_history=True)
    assert np.array_equal(frozen, counters.rank(asked, scored=scored, mask_history=True))
    assert (frozen[[0, 2]] == MISS).all()
    only = click_stream([(5, 0, 1.0), (5, 1, 1.0)])[0]
    first = counters.rank_and_add(only, scored=np.array([False, True]), mask_history=True)
    assert frozen[1, len(HALF_LIVES) :].tolist() == first[1, len(HALF_LIVES) :].tolist()


def test_columns_are_named_by_kind_and_half_lives() -> None:
    """Without mixes of its own every half-life has an equal one."""
    equal = ("popularity@100", "popularity@5000", "graph@100", "graph@5000", "mix@100", "mix@5000")
    assert BaselineCounters(HALF_LIVES).names == equal
    mixed = BaselineCounters(HALF_LIVES, [Mix(5000.0, 100.0, 0.8), Mix(100.0, 100.0, 0.5)])
    assert mixed.names == (*equal[:4], "mix@5000:100:0.8", "mix@100")
    names = BaselineCounters(GRID, MIXES).names
    assert len(set(names)) == len(names) == 2 * len(GRID) + len(MIXES)


@pytest.mark.parametrize("mix", [Mix(100.0, 60.0, 0.5), Mix(100.0, 100.0, 1.0)])
def test_a_mix_is_of_the_grid_and_of_both(mix: Mix) -> None:
    """No half-life is counted for a mix alone, and a share of all would be the graph itself."""
    with pytest.raises(ValueError, match="share between 0 and 1"):
        BaselineCounters(HALF_LIVES, [mix])


def test_longer_histories_can_come_later() -> None:
    """What is kept in order grows with the items that may be hidden."""
    events = [(1000 + item, item, 1.0) for item in range(180) for _ in range(1 + item // 2)]
    late = [*((0, item, 1.0) for item in range(100, 180)), (0, 90, 1.0)]
    whole, _ = click_stream([*events, *late])
    scored = np.zeros(len(whole.targets), dtype=np.bool_)
    scored[-1] = True
    at_once = BaselineCounters(HALF_LIVES).rank_and_add(whole, scored=scored, mask_history=True)
    first, _ = click_stream(events[:10])
    counters = BaselineCounters(HALF_LIVES)
    counters.rank_and_add(first, scored=scored[:10], mask_history=True)
    rest = whole._replace(
        **{name: getattr(whole, name)[10:] for name in whole._fields if "edge" not in name},
        edge_starts=whole.edge_starts[10:],
    )
    later = counters.rank_and_add(rest, scored=scored[10:], mask_history=True)
    assert later[-1].tolist() == at_once[-1].tolist()
    assert later[-1].max() < MISS
