"""Ranks of the joint score, against a slow and obvious ranking."""

import math

import numpy as np
import pytest

from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.quality.ranking_metrics import MISS
from gsr.ranking.click_ranks import Queries, rank_clicks
from gsr.votes.channels import channel_count, graph_channel_count, graph_channels
from gsr.votes.constants import FLOOR_LOG2, LN2
from gsr.votes.negatives import SharedNegatives
from gsr.votes.popularity import popularity_levels
from gsr.votes.recording import Notes, note_level, open_notes, record_click, with_more_room

HALF_LIVES = (3600.0, 86_400.0)
ITEMS, CLICKS, DIMENSION, OWN = 40, 300, 8, 4
CONFIG = ModelConfig(half_lives=HALF_LIVES, dimension=DIMENSION)


class Counters:
    """A small live graph: rows with room for every neighbour."""

    def __init__(self) -> None:
        scales = len(HALF_LIVES)
        self.arrays = ItemGraph(
            half_lives=np.array(HALF_LIVES),
            row_starts=np.arange(ITEMS, dtype=np.int64) * ITEMS,
            row_lengths=np.zeros(ITEMS, dtype=np.int32),
            row_references=np.zeros((ITEMS, scales), dtype=np.int64),
            neighbours=np.zeros(ITEMS * ITEMS, dtype=np.uint32),
            weights=np.zeros((ITEMS * ITEMS, scales), dtype=np.float32),
            popularity=np.zeros((ITEMS, scales), dtype=np.float32),
            popularity_references=np.zeros((ITEMS, scales), dtype=np.int64),
            last_clicks=np.full(ITEMS, -np.inf),
            alive=np.zeros(ITEMS, dtype=np.bool_),
            close_half_lives=np.zeros(0),
        )

    def add(self, source: int, target: int, time: float) -> None:
        """Count a click on `target` that follows one on `source` (-1: none)."""
        amounts = 2.0 ** (time / self.arrays.half_lives)
        self.arrays.popularity[target] += amounts
        self.arrays.alive[target] = True
        if source >= 0:
            self.arrays.weights[self._slot(source, target)] += amounts

    def _slot(self, source: int, target: int) -> int:
        start, length = source * ITEMS, int(self.arrays.row_lengths[source])
        row = self.arrays.neighbours[start : start + length]
        if target not in row:
            self.arrays.neighbours[start + length] = target
            self.arrays.row_lengths[source] += 1
            return start + length
        return start + int(np.flatnonzero(row == target)[0])


def slow_rank(
    counters: Counters,
    items: np.ndarray,
    length: int,
    now: float,
    target: int,
    vector: np.ndarray,
    item_vectors: np.ndarray,
    weights: np.ndarray,
    masked: set[int],
) -> int:
    """Rank `target` by the definition of the joint score, item by item."""
    graph, scales = counters.arrays, len(HALF_LIVES)
    if not graph.alive[target]:
        return MISS
    dense = np.zeros((ITEMS, graph_channel_count(scales)), dtype=np.float32)
    levels = np.empty((ITEMS, scales))
    popularity_levels(graph, levels)
    graph_channels(
        graph,
        levels,
        items,
        length,
        now,
        CONFIG.channel_history,
        CONFIG.channel_decay,
        dense,
        np.empty(ITEMS + 20_000, dtype=np.int64),
    )
    scores = np.zeros(ITEMS)
    for item in range(ITEMS):
        score = float(vector @ item_vectors[item]) if item < len(item_vectors) else 0.0
        for scale, half_life in enumerate(HALF_LIVES):
            count = graph.popularity[item, scale] * 2.0 ** (-now / half_life)
            log2 = math.log2(count) if count > 0 else FLOOR_LOG2
            score += weights[scale] * max(log2, FLOOR_LOG2) * LN2
        for channel in range(dense.shape[1]):
            score += weights[scales + channel] * dense[item, channel]
        scores[item] = score
    return sum(
        scores[item] >= scores[target] - 1e-4
        for item in range(ITEMS)
        if graph.alive[item] and item not in masked
    )


@pytest.mark.parametrize("known_vectors", [ITEMS, ITEMS // 2])
def test_ranks_are_those_of_the_definition(known_vectors: int) -> None:
    """Blocks, replayed levels and sparse channels change no rank."""
    rng = np.random.default_rng(7)
    targets = rng.integers(0, ITEMS, CLICKS)
    times = np.cumsum(rng.exponential(60.0, CLICKS))
    users = rng.integers(0, 12, CLICKS)
    item_vectors = rng.normal(size=(known_vectors, DIMENSION)).astype(np.float32)
    recorded = rng.random(CLICKS) < 0.9
    record_of = np.where(recorded, np.cumsum(recorded) - 1, -1)
    records = int(recorded.sum())
    histories, buffers = _histories(users, targets, times, recorded)
    vectors = rng.normal(size=(records, DIMENSION)).astype(np.float32)
    weights = rng.normal(size=(records, channel_count(len(HALF_LIVES)))).astype(np.float32)
    scored = rng.random(records) < 0.8
    masked = np.where(histories.items == targets[recorded][:, None], -1, histories.items)

    counters = Counters()
    notes = _open(counters, record_of, targets, histories, masked)
    expected = []
    for click in range(CLICKS):
        record = record_of[click]
        if record >= 0 and scored[record]:
            expected.append(
                slow_rank(
                    counters,
                    histories.items[record],
                    int(histories.lengths[record]),
                    float(times[click]),
                    int(targets[click]),
                    vectors[record],
                    item_vectors,
                    weights[record],
                    {int(item) for item in masked[record] if item >= 0},
                )
            )
        while not record_click(notes, counters.arrays, click, OWN):
            notes = with_more_room(notes)
        counters.add(buffers[click], int(targets[click]), float(times[click]))
        note_level(notes, counters.arrays, click)
    ranks = rank_clicks(
        notes, Queries(vectors, weights, item_vectors), np.array(HALF_LIVES), scored, masked
    )
    assert (ranks[~scored] == MISS).all()
    assert np.abs(ranks[scored].astype(np.int64) - np.array(expected)).max() <= 1
    assert (ranks[scored] == np.array(expected)).mean() > 0.98


def test_ties_count_against_the_clicked_item() -> None:
    """A model that scores all items alike ranks the clicked one last."""
    counters = Counters()
    for item in range(5):
        counters.add(-1, item, 0.0)
    targets = np.array([2])
    histories = Histories(
        np.array([[0]]),
        np.zeros((1, 1)),
        np.zeros((1, 1), np.uint8),
        np.array([1]),
        np.array([9.0]),
    )
    notes = _open(counters, np.array([0]), targets, histories, np.array([[0]]))
    assert record_click(notes, counters.arrays, 0, OWN)
    queries = Queries(
        np.zeros((1, DIMENSION), np.float32),
        np.zeros((1, channel_count(len(HALF_LIVES))), np.float32),
        np.zeros((ITEMS, DIMENSION), np.float32),
    )
    half_lives = np.array(HALF_LIVES)
    masked = np.array([[0]])
    assert rank_clicks(notes, queries, half_lives, np.array([True]), masked).tolist() == [4]
    nothing = np.array([[-1]])
    assert rank_clicks(notes, queries, half_lives, np.array([True]), nothing).tolist() == [5]


def test_an_item_is_unknown_until_its_first_click() -> None:
    """Within one chunk the first click on an item is a miss, the second has a rank."""
    counters = Counters()
    counters.add(-1, 0, 0.0)
    targets = np.array([3, 3])
    histories = Histories(
        np.array([[0], [0]]),
        np.zeros((2, 1)),
        np.zeros((2, 1), np.uint8),
        np.array([1, 1]),
        np.array([5.0, 6.0]),
    )
    masked = np.array([[0], [0]])
    notes = _open(counters, np.array([0, 1]), targets, histories, masked)
    for click in range(2):
        assert record_click(notes, counters.arrays, click, OWN)
        counters.add(0, 3, float(histories.now[click]))
        note_level(notes, counters.arrays, click)
    queries = Queries(
        np.zeros((2, DIMENSION), np.float32),
        np.ones((2, channel_count(len(HALF_LIVES))), np.float32),
        np.zeros((ITEMS, DIMENSION), np.float32),
    )
    ranks = rank_clicks(notes, queries, np.array(HALF_LIVES), np.array([True, True]), masked)
    assert ranks.tolist() == [MISS, 1]


def _histories(
    users: np.ndarray, targets: np.ndarray, times: np.ndarray, recorded: np.ndarray
) -> tuple[Histories, list[int]]:
    """Return the recorded clicks' histories, and each click's previous item (-1: none)."""
    length = CONFIG.history_length
    kept: dict[int, list[tuple[int, float]]] = {}
    rows, previous = [], []
    for user, target, time in zip(users.tolist(), targets.tolist(), times.tolist(), strict=True):
        rows.append(list(kept.get(user, [])[-length:]))
        previous.append(rows[-1][-1][0] if rows[-1] else -1)
        kept.setdefault(user, []).append((target, time))
    rows = [row for row, wanted in zip(rows, recorded.tolist(), strict=True) if wanted]
    items = np.full((len(rows), length), -1, dtype=np.int64)
    clicked = np.zeros((len(rows), length))
    for number, row in enumerate(rows):
        for place, (item, time) in enumerate(row):
            items[number, place], clicked[number, place] = item, time
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    events = np.zeros(items.shape, dtype=np.uint8)
    return Histories(items, clicked, events, lengths, times[recorded]), previous


def _open(
    counters: Counters,
    record_of: np.ndarray,
    targets: np.ndarray,
    histories: Histories,
    seen: np.ndarray,
) -> Notes:
    negatives = SharedNegatives(np.arange(6), np.zeros(6, dtype=np.float32))
    return open_notes(counters.arrays, record_of, targets, histories, seen, negatives, OWN, CONFIG)
