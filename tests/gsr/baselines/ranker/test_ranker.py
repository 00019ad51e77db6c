"""The ranker over counters as a baseline: what it ranks, what it learns, what it forgets."""

import numpy as np
import pytest

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.interface import Baseline
from gsr.baselines.ranker.features import GROUPS
from gsr.baselines.ranker.ranker import CounterRanker, RankerOptions
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import click_stream

SMALL = RankerOptions(block=100, step=25, listed=20, kept=20, hidden=8, replay_blocks=4)
ITEMS = 60
CLICK_COLUMNS = CountedClicks._fields[:7]
EDGE_COLUMNS = CountedClicks._fields[8:]


def walks(events: int, seed: int = 0) -> CountedClicks:
    """Return clicks of users who mostly go from each item to the next one."""
    rng = np.random.default_rng(seed)
    at = rng.integers(ITEMS, size=20)
    rows = []
    for _ in range(events):
        user = int(rng.integers(len(at)))
        at[user] = (at[user] + 1) % ITEMS if rng.random() < 0.8 else rng.integers(ITEMS)
        rows.append((user, int(at[user]), 10.0))
    return shortened(click_stream(rows)[0], 16)


def shortened(clicks: CountedClicks, width: int) -> CountedClicks:
    """Return the clicks with histories of the newest `width` clicks."""
    lengths = np.minimum(clicks.lengths, width)
    places = (clicks.lengths - lengths)[:, None] + np.arange(width)
    inside = np.arange(width) < lengths[:, None]
    places = np.minimum(places, clicks.histories.shape[1] - 1)
    return clicks._replace(
        lengths=lengths,
        histories=np.where(inside, np.take_along_axis(clicks.histories, places, 1), -1),
        history_times=np.where(inside, np.take_along_axis(clicks.history_times, places, 1), 0.0),
    )


def part(clicks: CountedClicks, first: int, last: int) -> CountedClicks:
    """Return some of the clicks, with their edges."""
    edges = slice(int(clicks.edge_starts[first]), int(clicks.edge_starts[last]))
    columns = clicks._asdict()
    return clicks._replace(
        **{name: columns[name][first:last].copy() for name in CLICK_COLUMNS},
        **{name: columns[name][edges] for name in EDGE_COLUMNS},
        edge_starts=clicks.edge_starts[first : last + 1] - clicks.edge_starts[first],
    )


def all_of(clicks: CountedClicks) -> np.ndarray:
    return np.ones(len(clicks.targets), dtype=np.bool_)


def feed(ranker: CounterRanker, clicks: CountedClicks, at_once: int, *, mask: bool) -> np.ndarray:
    ranks = []
    for first in range(0, len(clicks.targets), at_once):
        some = part(clicks, first, min(first + at_once, len(clicks.targets)))
        ranks.append(ranker.rank_and_add(some, scored=all_of(some), mask_history=mask)[:, 0])
    return np.concatenate(ranks)


def test_it_learns_who_follows_whom() -> None:
    """At first all candidates are alike; later the next item is mostly the first."""
    clicks = walks(3000)
    ranker: Baseline = CounterRanker(SMALL)
    ranks = ranker.rank_and_add(clicks, scored=all_of(clicks), mask_history=True)
    assert ranker.names == ("ranker",)
    assert ranks.shape == (3000, 1)
    assert ranks.dtype == np.int32
    assert (ranks[:100][ranks[:100] != MISS] > 3).mean() > 0.9
    assert (ranks[-500:] == 1).mean() > 0.6
    assert (ranks >= 1).all()


@pytest.mark.parametrize("mask", [False, True])
def test_ranks_do_not_depend_on_batches(mask: bool) -> None:
    """The stream may be cut anywhere: a block is learned when it is full. The seed decides."""
    clicks = walks(1200)
    ranks = feed(CounterRanker(SMALL), clicks, 1200, mask=mask)
    cut = feed(CounterRanker(SMALL), clicks, 77, mask=mask)
    assert (ranks == cut).mean() > 0.98
    assert np.array_equal(ranks, feed(CounterRanker(SMALL), clicks, 1200, mask=mask))


def test_a_block_is_ranked_before_it_is_learned() -> None:
    """What comes later changes no rank."""
    clicks, other = walks(700), walks(700, seed=1)
    first = part(clicks, 0, 500)
    alone = feed(CounterRanker(SMALL), first, 500, mask=True)
    longer = feed(CounterRanker(SMALL), clicks, 700, mask=True)
    assert (alone == longer[:500]).mean() > 0.98
    assert not np.array_equal(alone, feed(CounterRanker(SMALL), other, 700, mask=True)[:500])


def test_what_is_not_scored_or_not_known_is_a_miss() -> None:
    """Of clicks that are not scored, of items without a click, of items that are left out."""
    clicks = walks(400)
    scored = np.zeros(400, dtype=np.bool_)
    scored[::2] = True
    ranks = CounterRanker(SMALL).rank_and_add(clicks, scored=scored, mask_history=True)[:, 0]
    assert (ranks[~scored] == MISS).all()
    seen: set[int] = set()
    for rank, target in zip(ranks.tolist(), clicks.targets.tolist(), strict=True):
        assert target in seen or rank == MISS
        seen.add(target)
    masked = (clicks.histories == clicks.targets[:, None]).any(axis=1)
    assert (ranks[masked] == MISS).all()


def test_users_of_whom_nothing_is_known_get_popular_items() -> None:
    """They are ranked, and nothing is learned from them."""
    rows = [(user, item, 1.0) for user in range(40) for item in range(1 + user % 4)]
    clicks, _ = click_stream(rows)
    ranker = CounterRanker(SMALL)
    ranker.rank_and_add(clicks, scored=all_of(clicks), mask_history=True)
    asked, _ = click_stream([(99, 0, 1.0), (98, 3, 1.0), (97, 55, 1.0)])
    asked = asked._replace(times=asked.times + clicks.times[-1])
    ranks = ranker.rank(asked, scored=all_of(asked), mask_history=True)[:, 0]
    assert (ranks[:2] <= 4).all()
    assert ranks[2] == MISS
    unscored = ranker.rank(asked, scored=~all_of(asked), mask_history=True)[:, 0]
    assert (unscored == MISS).all()


def test_unscored_clicks_are_learned() -> None:
    """A warm-up is not lost."""
    clicks = walks(2000)
    ranker = CounterRanker(SMALL)
    ranker.rank_and_add(
        part(clicks, 0, 1500), scored=np.zeros(1500, dtype=np.bool_), mask_history=True
    )
    rest = part(clicks, 1500, 2000)
    ranks = ranker.rank_and_add(rest, scored=all_of(rest), mask_history=True)
    scored = feed(CounterRanker(SMALL), clicks, 1500, mask=True)[1500:]
    assert (ranks[:, 0] == scored).mean() > 0.98


def test_ranking_alone_changes_nothing() -> None:
    """Neither counts nor weights; also with items that nobody has clicked, in histories too."""
    clicks = walks(1000)
    asked = part(clicks, 900, 1000)
    asked.histories[5, 0] = asked.targets[7] = 5000
    known, other = CounterRanker(SMALL), CounterRanker(SMALL)
    for ranker in (known, other):
        feed(ranker, part(clicks, 0, 900), 900, mask=True)
    ranks = known.rank(asked, scored=all_of(asked), mask_history=True)
    assert np.array_equal(ranks, known.rank(asked, scored=all_of(asked), mask_history=True))
    assert ranks[7, 0] == MISS
    assert (ranks[:, 0] != MISS).mean() > 0.5
    rest = part(walks(1000), 900, 1000)
    assert np.array_equal(feed(known, rest, 100, mask=True), feed(other, rest, 100, mask=True))
    empty = CounterRanker(SMALL).rank(asked, scored=all_of(asked), mask_history=True)
    assert (empty == MISS).all()


def test_a_released_row_is_unknown_again() -> None:
    """Nothing of an item that has left reaches the one that gets its row."""
    clicks = walks(1000)
    ranker = CounterRanker(SMALL)
    feed(ranker, clicks, 1000, mask=True)
    ranker.release(np.array([3, 4, 9999]))
    again, _ = click_stream([(900, 2, 1.0), (900, 3, 1.0), (901, 2, 1.0), (901, 3, 1.0)])
    moved = again._replace(times=again.times + 20_000.0, edge_times=again.edge_times + 20_000.0)
    ranks = ranker.rank_and_add(moved, scored=all_of(moved), mask_history=True)[:, 0]
    assert ranks[1] == MISS
    assert ranks[3] != MISS
    ranker.release(np.zeros(0, dtype=np.int64))


def test_groups_of_features_can_be_switched_off() -> None:
    """Without all that tells of followers nothing is learned of them."""
    clicks = walks(2000)
    blind = RankerOptions(
        **{
            **{name: getattr(SMALL, name) for name in ("block", "step", "listed", "kept")},
            "without": tuple(group for group in GROUPS if group != "hour of day"),
        }
    )
    ranks = feed(CounterRanker(blind), clicks, 2000, mask=True)
    assert (ranks[-500:] == 1).mean() < 0.3


def test_a_weightless_click_is_neither_popular_nor_learned() -> None:
    """It makes its item known, though."""
    clicks, _ = click_stream(
        [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0)], weights=[1.0, 0.0, 1.0, 1.0]
    )
    ranks = CounterRanker(SMALL).rank_and_add(clicks, scored=all_of(clicks), mask_history=True)
    assert ranks[1, 0] == MISS
    assert ranks[3, 0] == 1  # followed item 0 once, and is the only candidate


def test_a_block_is_a_whole_number_of_linear_steps() -> None:
    """Otherwise it would never be full at the end of a step."""
    with pytest.raises(ValueError, match="multiple"):
        RankerOptions(block=150)


def test_edges_get_more_room_in_the_middle_of_a_batch() -> None:
    """Describing goes on where it stopped: many items in one batch are counted to the last."""
    pairs = [event for u in range(900) for event in ((u, u, 1.0), (u, 5000 + u, 1.0))]
    again = [event for u in range(900) for event in ((u + 900, u, 1.0), (u + 900, 5000 + u, 1.0))]
    clicks, _ = click_stream(pairs + again)
    ranks = CounterRanker(SMALL).rank_and_add(clicks, scored=all_of(clicks), mask_history=True)
    assert (ranks[:1800] == MISS).all()
    followers = ranks[1801::2, 0]
    assert (followers != MISS).mean() > 0.9


def test_no_clicks_have_no_ranks() -> None:
    """An empty batch is nothing special."""
    clicks = part(walks(10), 0, 0)
    ranks = CounterRanker(SMALL).rank_and_add(clicks, scored=all_of(clicks), mask_history=True)
    assert ranks.shape == (0, 1)
