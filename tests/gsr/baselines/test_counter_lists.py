"""Lists by the counters are what their ranks say, and what plain dictionaries give."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pytest

from gsr.baselines.counter_lists import CounterLists
from gsr.baselines.counters import BaselineCounters, Mix
from gsr.baselines.lists import ListMaker
from gsr.quality.ranking_metrics import MISS
from tests.gsr.baselines.click_streams import WINDOW, click_stream

HALF_LIVES = (100.0, 5000.0)
MIXES = (*(Mix(h, h, 0.5) for h in HALF_LIVES), Mix(5000.0, 100.0, 0.8))
COLUMNS = BaselineCounters(HALF_LIVES, MIXES).names
ITEMS = 25
COUNT = 6


def made(events: list[tuple[int, int, float]]) -> BaselineCounters:
    """Return counters that have counted events of (user, item, pause)."""
    counters = BaselineCounters(HALF_LIVES, MIXES)
    clicks, _ = click_stream(events)
    counters.rank_and_add(clicks, scored=np.zeros(len(events), dtype=np.bool_), mask_history=True)
    return counters


def random_events(seed: int, clicks: int = 300) -> list[tuple[int, int, float]]:
    """Return clicks of 9 users on items of unlike popularity, at pauses of unlike length."""
    rng = np.random.default_rng(seed)
    items = np.minimum(rng.geometric(0.12, clicks) - 1, ITEMS - 1)
    return [
        (int(rng.integers(9)), int(item), float(pause))
        for item, pause in zip(items, rng.exponential(20.0, clicks), strict=True)
    ]


def padded(histories: list[list[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    width = max(map(len, histories)) + 1
    rows = np.full((len(histories), width), -1, dtype=np.int64)
    for row, history in enumerate(histories):
        rows[row, : len(history)] = history
    return rows, np.array([len(history) for history in histories], dtype=np.int64)


HISTORIES = [[3, 0, 1], [], [5, -1, 2, 2, 9, 0, 1], [7], [99, 4], [4, -1]]


def plain_counts(
    events: list[tuple[int, int, float]], history: list[int], half_life: float
) -> tuple[dict[int, float], dict[int, float]]:
    """Return every item's popularity, and the votes of a history, by definition."""
    times = np.cumsum([pause for _, _, pause in events])
    popularity: dict[int, float] = defaultdict(float)
    edges: dict[tuple[int, int], float] = defaultdict(float)
    buffers: dict[int, list[int]] = defaultdict(list)
    for (user, item, _), time in zip(events, times.tolist(), strict=True):
        worth = 2.0 ** ((time - times[-1]) / half_life)
        popularity[item] += worth
        for back, share in enumerate(WINDOW):
            if back < len(buffers[user]) and buffers[user][-1 - back] != item:
                edges[buffers[user][-1 - back], item] += share * worth
        buffers[user].append(item)
    votes: dict[int, float] = dict.fromkeys(popularity, 0.0)
    for back, source in enumerate(reversed(history[-5:])):
        for (start, end), weight in edges.items():
            if start == source:
                votes[end] += 0.5**back * weight
    return popularity, votes


def plain_scores(
    events: list[tuple[int, int, float]], history: list[int], column: str
) -> dict[int, tuple[float, float]]:
    """Return the score of every item by a column, and what orders equal ones."""
    kind, setting = column.split("@")
    first, second, share = setting.split(":") if ":" in setting else (setting, setting, "0.5")
    popularity, votes = plain_counts(events, history, float(first))
    if kind == "popularity":
        return {item: (clicks, 0.0) for item, clicks in popularity.items()}
    if kind == "graph":
        nearest_to_a_day, _ = plain_counts(events, history, HALF_LIVES[-1])
        return {item: (votes[item], nearest_to_a_day[item]) for item in popularity}
    popularity, _ = plain_counts(events, history, float(second))
    total, clicked = sum(votes.values()) or 1.0, sum(popularity.values())
    part = float(share)
    return {
        item: (part * votes[item] / total + (1.0 - part) * clicks / clicked, 0.0)
        for item, clicks in popularity.items()
    }


@pytest.mark.parametrize("mask_history", [True, False])
@pytest.mark.parametrize("column", COLUMNS)
def test_lists_are_those_of_the_definition(column: str, mask_history: bool) -> None:
    """Also for users without a history, of unknown items, and of items that have left."""
    events = random_events(1)
    maker: ListMaker = CounterLists(made(events), column)
    histories, lengths = padded(HISTORIES)
    lists = maker.top(histories, lengths, COUNT, mask_history)
    for history, found in zip(HISTORIES, lists.tolist(), strict=True):
        scores = plain_scores(events, history, column)
        allowed = [i for i in scores if not (mask_history and i in history)]
        expected = sorted(allowed, key=lambda i: (-scores[i][0], -scores[i][1], i))[:COUNT]
        assert found == expected + [-1] * (COUNT - len(expected))


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_an_item_stands_where_it_is_ranked(column: int) -> None:
    """`BaselineCounters.rank` counts ties against an item, so it may stand above its rank."""
    counters = made(random_events(2))
    history = [3, 0, 1]
    rows, lengths = padded([history])
    maker = CounterLists(counters, counters.names[column])
    found = maker.top(rows, lengths, ITEMS, mask_history=True)[0]
    found = found[found >= 0]
    asked, _ = click_stream(
        [(user, item, 1.0) for user in found.tolist() for item in [*history, user]]
    )
    scored = np.arange(len(asked.targets)) % 4 == 3
    ranks = counters.rank(asked, scored=scored, mask_history=True)[scored, column]
    assert (ranks != MISS).all()
    assert (np.diff(ranks) >= 0).all()
    assert (np.arange(1, len(found) + 1) <= ranks).all()
    distinct = np.append(np.diff(ranks) > 0, True)
    assert (ranks[distinct] == np.flatnonzero(distinct) + 1).all()


def test_who_has_seen_everything_gets_an_empty_list() -> None:
    counters = made(random_events(3))
    rows, lengths = padded([list(range(ITEMS))])
    for name in counters.names:
        assert (CounterLists(counters, name).top(rows, lengths, COUNT, True) == -1).all()


def test_released_items_are_not_listed() -> None:
    """Lists follow the counters as they change."""
    counters = made(random_events(4))
    maker = CounterLists(counters, "mix@5000")
    rows, lengths = padded([[0, 1]])
    before = maker.top(rows, lengths, COUNT, True)[0]
    counters.release(before[:1])
    after = maker.top(rows, lengths, COUNT, True)[0]
    assert before[0] not in after.tolist()
    assert (after >= 0).all()


def test_empty_counters_list_nothing() -> None:
    counters = BaselineCounters(HALF_LIVES)
    rows, lengths = padded([[0], []])
    for name in counters.names:
        assert (CounterLists(counters, name).top(rows, lengths, COUNT, True) == -1).all()


def test_an_unknown_column_is_refused() -> None:
    for column in ("mix@7", "best@100", "mix"):
        with pytest.raises(ValueError, match="popularity@100"):
            CounterLists(BaselineCounters(HALF_LIVES), column)
