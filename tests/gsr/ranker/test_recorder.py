"""Candidates and features of recorded clicks, against obvious counts."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gsr.counters.rules import edge_rules
from gsr.ranker.votes import RECENCY_SCALE, TOGETHER_CLICKS
from tests.gsr.ranker.world import (
    ITEMS,
    SHAPE,
    START,
    STATE,
    WEIGHTS,
    Stream,
    clicks_of,
    walks,
)

Click = tuple[str, str, float]

COUNTED = replace(
    STATE,
    half_lives=(3600.0, 86_400.0, 864_000.0),
    buffer_length=24,
    close_half_lives=(86_400.0, 864_000.0),
)
"""Every column of votes is on a time scale of its own, and the oldest clicks are not looked at for
what was clicked close by."""

WIDE = replace(
    SHAPE,
    half_lives=COUNTED.half_lives,
    close_half_lives=COUNTED.close_half_lives,
    history_length=22,
)


def decayed(then: float, now: float, half_life: float) -> float:
    return math.exp2((then - now) / half_life)


class Obvious:
    """What is known just before a click, counted from the list of all clicks before it."""

    def __init__(self, before: list[Click], user: str, now: float) -> None:
        self.before, self.now = before, now
        own = [(item, time) for name, item, time in before if name == user]
        self.buffer = own[-COUNTED.buffer_length :]
        left = dict.fromkeys(item for item, _ in reversed(own[: -COUNTED.buffer_length]))
        self.left = set(list(left)[: COUNTED.seen_items])
        self.history = self.buffer[-WIDE.history_length :]
        buffers: dict[str, list[Click]] = {}
        self.edges: list[tuple[str, str, float, float]] = []
        self.pairs: list[tuple[str, str, float]] = []
        for name, item, time in before:
            past = buffers.setdefault(name, [])
            for back, (_, other, _) in enumerate(reversed(past[-COUNTED.buffer_length :])):
                if other == item:
                    continue
                if back < len(COUNTED.window_weights):
                    self.edges.append((other, item, COUNTED.window_weights[back], time))
                if back < COUNTED.close_clicks:
                    self.pairs += [(other, item, time), (item, other, time)]
            past.append((name, item, time))

    def popularity(self, item: str, half_life: float) -> float:
        return sum(decayed(t, self.now, half_life) for _, i, t in self.before if i == item)

    def row(self, source: str, half_life: float) -> dict[str, float]:
        found: dict[str, float] = {}
        for start, end, weight, time in self.edges:
            if start == source:
                worth = weight * decayed(time, self.now, half_life)
                found[end] = found.get(end, 0.0) + worth
        return found

    def close(self, one: str, other: str, half_life: float) -> float:
        return sum(
            decayed(t, self.now, half_life) for a, b, t in self.pairs if (a, b) == (one, other)
        )

    def features(self, item: str, *, repeats: bool) -> dict[str, float]:
        newest_first = [source for source, _ in reversed(self.history)]

        def share(source: str, life: float) -> float:
            row = self.row(source, life)
            return row.get(item, 0.0) / (sum(row.values()) + 0.3)

        values = {}
        for name, life in zip(("1h", "1d", "10d"), COUNTED.half_lives, strict=True):
            values[f"popularity_{name}"] = self.popularity(item, life) + 0.01
            newest = share(newest_first[0], life) if newest_first else 0.0
            values[f"last_share_{name}"] = 0.002 + newest
        for name, life in zip(("1d", "10d"), COUNTED.close_half_lives, strict=True):
            values[f"history_{name}"] = 0.05 + sum(
                0.9**back * self.row(source, life).get(item, 0.0)
                for back, source in enumerate(newest_first)
            )
            values[f"history_share_{name}"] = 0.002 + sum(
                0.9**back * share(source, life) for back, source in enumerate(newest_first)
            )
            values[f"together_{name}"] = 0.002 + sum(
                0.9**back
                * self.close(source, item, life)
                / math.sqrt(
                    (self.popularity(source, life) + 0.5) * (self.popularity(item, life) + 0.5)
                )
                for back, source in enumerate(newest_first[:TOGETHER_CLICKS])
            )
        own = [time for clicked, time in self.history if clicked == item] if repeats else []
        values["own_clicks"] = 1.0 + len(own)
        values["own_recency"] = 1.0 + max(
            (RECENCY_SCALE / math.sqrt(1 + (self.now - t) / 60.0) for t in own), default=0.0
        )
        last = max(time for _, clicked, time in self.before if clicked == item)
        values["new"] = math.e if self.popularity(item, COUNTED.half_lives[2]) < 10.0 else 1.0
        values["since_last_click"] = 1.0 + (self.now - last) / 10.0
        return values


@pytest.mark.parametrize("mask", [True, False])
def test_features_are_those_of_obvious_counts(mask: bool) -> None:
    """Of every candidate of some clicks, before the click itself is counted."""
    stream = Stream(WIDE, state=COUNTED, mask=mask)
    batches = [walks(350), walks(150, seed=1, first=350)]
    rows: list[Click] = []
    for batch in batches:
        first = len(rows)
        rows += list(zip(batch.user_ids, batch.item_ids, batch.times.tolist(), strict=True))
        # Whole chunks would let clicks leave their buffers again: as many as one user may have.
        parts = [batch.slice(i, i + 7) for i in range(0, len(batch), 7)]
        found = [stream.record(part) for part in parts]
        for at in range(first + 100, len(rows), 41):
            recorded, n = found[(at - first) // 7], (at - first) % 7
            check(stream, recorded.kept.values[n], recorded.kept.candidates[n], rows, at, mask)
            target = recorded.kept.targets[n]
            if target >= 0:
                assert recorded.kept.candidates[n, target] == stream.row(rows[at][1])


def check(
    stream: Stream,
    values: np.ndarray,
    candidates: np.ndarray,
    rows: list[Click],
    at: int,
    mask: bool,
) -> None:
    user, _, now = rows[at]
    obvious = Obvious(rows[:at], user, now)
    names = [feature.name for feature in stream.model.layout.features]
    listed = [stream.counters.items.id_of(int(row)) for row in candidates if row >= 0]
    assert 0 < len(listed) == len(set(listed)) <= SHAPE.kept
    barred = ({item for item, _ in obvious.buffer} | obvious.left) if mask else set()
    assert not barred & set(listed)
    for place, item in enumerate(listed):
        assert item is not None
        expected = obvious.features(item, repeats=not mask)
        found = dict(zip(names, np.exp(values[place]).tolist(), strict=True))
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_unwanted_clicks_are_counted_all_the_same() -> None:
    """The counters are those of a state that took the clicks in; nothing is recorded of them."""
    stream, other = Stream(), Stream()
    batch = walks(200)
    assert len(stream.record(batch, np.zeros(0, dtype=np.int64))) == 0
    other.counters.apply(batch)
    mine, theirs = stream.counters.graph(), other.counters.graph()
    for name in ("row_lengths", "row_references", "popularity", "last_clicks", "alive"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    slots = int(mine.row_lengths.sum())
    assert slots == int(theirs.row_lengths.sum()) > 0


def test_popular_items_are_kept_in_order() -> None:
    """Click by click, as if they were looked for anew."""
    stream = Stream()
    stream.record(walks(300))
    kept = [rows[:count].tolist() for rows, count in zip(*stream.recorder.popular, strict=True)]
    stream.recorder.list_again()
    again = [rows[:count].tolist() for rows, count in zip(*stream.recorder.popular, strict=True)]
    assert kept == again
    assert len(kept[0]) == SHAPE.listed < ITEMS


def test_lookups_say_what_the_user_clicked_before() -> None:
    """Newest first, with the clicked item, known before or not."""
    stream = Stream()
    stream.record(clicks_of([("u", "a", 0.0), ("v", "b", 10.0), ("u", "b", 20.0)]))
    recorded = stream.record(clicks_of([("u", "c", 50.0), ("w", "a", 60.0)], first=3))
    lookups = recorded.lookups
    assert lookups.recent[0, :3].tolist() == [stream.row("b"), stream.row("a"), -1]
    assert lookups.ages[0, :2].tolist() == [30.0, 50.0]
    assert (lookups.recent[1] == -1).all()
    assert lookups.clicked.tolist() == [stream.row("c"), stream.row("a")]
    assert recorded.learnable.tolist() == [True, False]
    assert recorded.kept.targets[0] == -1  # nobody had clicked it before
    assert recorded.kept.targets[1] >= 0
    assert START > 0


def test_room_in_the_arena_decides_nothing() -> None:
    """Counters that must grow on the way, as after a restart, are recorded as roomy ones are."""
    tight, roomy = Stream(), Stream()
    roomy.counters.items.reserve_edges(10**7)
    arena = tight.counters.items.edges.neighbours
    before = len(arena.slots)
    arena.top[0] = before - edge_rules(STATE, np.array(WEIGHTS)).room_per_click - 100
    mine, theirs = (stream.record(walks(300)) for stream in (tight, roomy))
    assert len(tight.counters.items.edges.neighbours.slots) > before
    for one, other in zip(mine.kept, theirs.kept, strict=True):
        np.testing.assert_array_equal(one, other)
    noted, others = (stream.learner.linear.arrays() for stream in (tight, roomy))
    for name, array in noted.items():
        np.testing.assert_array_equal(array, others[name])
