"""Features of candidates, against counts in dictionaries with one exponential a click."""

import math
from collections import defaultdict

import numpy as np
import pytest

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.ranker.candidates import Described, new_workspace, room_for_described
from gsr.baselines.ranker.counts import CLOSE_BY, RankerCounts
from gsr.baselines.ranker.describe_and_add import describe_and_add
from gsr.baselines.ranker.features import (
    HALF_LIVES,
    NAMES,
    OFFSETS,
    SHARED_HALF_LIVES,
    SINCE_LAST_CLICK,
)
from gsr.baselines.ranker.votes import HISTORY_CLICKS, PRODUCT_PRIOR
from gsr.ranker.features import CONTEXT, DAY_SECONDS
from gsr.ranker.votes import HISTORY_DECAY, MASS_PRIOR, RECENCY_SCALE, TOGETHER_CLICKS
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY
from tests.gsr.baselines.click_streams import click_stream

SCALE_NAMES = ("10min", "1h", "1d", "7d", "30d", "1y")
USERS, ITEMS, EVENTS = 5, 14, 400


class Obvious:
    """Every click and edge ever, summed anew for every question."""

    def __init__(self, clicks: CountedClicks, until: int, now: float) -> None:
        self.now = now
        self.clicks = list(
            zip(clicks.targets[:until].tolist(), clicks.times[:until].tolist(), strict=True)
        )
        used = slice(0, clicks.edge_starts[until])
        columns = (clicks.edge_sources, clicks.edge_targets, clicks.edge_weights, clicks.edge_times)
        self.edges = list(zip(*(column[used].tolist() for column in columns), strict=True))
        self.shared: list[tuple[int, int, float]] = []
        for i in range(until):
            length, target = int(clicks.lengths[i]), int(clicks.targets[i])
            for source in clicks.histories[i, max(0, length - CLOSE_BY) : length].tolist():
                if source != target:
                    self.shared.append((source, target, float(clicks.times[i])))
                    self.shared.append((target, source, float(clicks.times[i])))

    def decay(self, time: float, half_life: float) -> float:
        """Return what a click of a time is worth now."""
        return float(2.0 ** ((time - self.now) / half_life))

    def popularity(self, item: int, half_life: float) -> float:
        """Return the decayed clicks on an item."""
        return sum(self.decay(time, half_life) for row, time in self.clicks if row == item)

    def row(self, source: int, half_life: float) -> dict[int, float]:
        """Return the decayed weights of what followed an item."""
        row: dict[int, float] = defaultdict(float)
        for start, end, weight, time in self.edges:
            if start == source:
                row[end] += weight * self.decay(time, half_life)
        return row

    def features(
        self, item: int, history: list[int], past: list[tuple[int, float]]
    ) -> dict[str, float]:
        """Return what the features of an item are the logarithms of, without offsets."""
        values: dict[str, float] = defaultdict(float)
        for name, half_life in zip(SCALE_NAMES, HALF_LIVES, strict=True):
            values[f"popularity_{name}"] = self.popularity(item, half_life)
            for back, source in enumerate(reversed(history[-HISTORY_CLICKS:])):
                row = self.row(source, half_life)
                vote, share = row[item], row[item] / (sum(row.values()) + MASS_PRIOR)
                values[f"history_{name}"] += HISTORY_DECAY**back * vote
                values[f"history_share_{name}"] += HISTORY_DECAY**back * share
                if back < RECENT_CLICKS:
                    values[f"recent_{name}"] += RECENT_DECAY**back * vote
                    values[f"recent_share_{name}"] += RECENT_DECAY**back * share
                if back == 0:
                    values[f"last_share_{name}"] = share
        for name, half_life in zip(("1d", "1y"), SHARED_HALF_LIVES, strict=True):
            for back, source in enumerate(reversed(history[-TOGETHER_CLICKS:])):
                met = sum(
                    self.decay(time, half_life)
                    for start, end, time in self.shared
                    if (start, end) == (source, item)
                )
                product = self.popularity(source, half_life) * self.popularity(item, half_life)
                cosine = met / math.sqrt(product + PRODUCT_PRIOR)
                values[f"together_{name}"] += HISTORY_DECAY**back * cosine
        own = [self.now - time for row, time in past if row == item]
        values["own_clicks"] = len(own)
        if own:
            values["own_recency"] = RECENCY_SCALE / math.sqrt(1.0 + min(own) / 60.0)
        times = [time for row, time in self.clicks if row == item]
        values["since_last_click"] = (self.now - max(times)) / 10.0
        hour = int(self.now // 3600) % 24
        near = 0.0
        for time in times:
            apart = abs(int(time // 3600) % 24 - hour)
            near += {0: 1.0, 1: 0.5, 23: 0.5}.get(apart, 0.0)
        values["hour_of_day"] = (near + 20.0 / 24) / (len(times) + 10.0)
        values["new"] = math.e - 1.0 if len(times) < 10 else 0.0
        return values


def described_stream(*, mask: bool) -> tuple[CountedClicks, Described]:
    rng = np.random.default_rng(3)
    pauses = rng.choice([1.0, 60.0, 3000.0, 40_000.0], EVENTS)
    users, items = rng.integers(USERS, size=EVENTS), rng.integers(ITEMS, size=EVENTS)
    clicks, _ = click_stream(list(zip(users.tolist(), items.tolist(), pauses, strict=True)))
    width = 12  # shorter than what a user has clicked
    lengths = np.minimum(clicks.lengths, width)
    histories = np.full((EVENTS, width), -1, dtype=np.int64)
    times = np.zeros((EVENTS, width))
    for i, (length, kept) in enumerate(zip(clicks.lengths, lengths, strict=True)):
        histories[i, :kept] = clicks.histories[i, length - kept : length]
        times[i, :kept] = clicks.history_times[i, length - kept : length]
    clicks = clicks._replace(histories=histories, lengths=lengths, history_times=times)
    counts = RankerCounts(ITEMS)
    counts.reserve_items(ITEMS)
    counts.reserve_edges(64)  # far more than needed
    work, described = new_workspace(counts.room), room_for_described(EVENTS, EVENTS * 768)
    done = describe_and_add(
        0,
        clicks,
        np.ones(EVENTS, dtype=np.bool_),
        mask,
        True,
        np.inf,
        ITEMS,
        -1,
        counts.arrays(),
        work,
        described,
    )
    assert done == EVENTS
    assert not work.barred.any()
    assert not work.votes.places.any()
    assert not work.votes.sums.any()
    return clicks, described


@pytest.mark.parametrize("mask", [False, True])
def test_features_are_those_of_obvious_counts(mask: bool) -> None:
    """Of every candidate of some clicks, before the click itself is counted."""
    clicks, described = described_stream(mask=mask)
    checked = 0
    for n in range(0, int(described.counts[0]), 37):
        i = int(described.clicks[n])
        length, now = int(clicks.lengths[i]), float(clicks.times[i])
        history = clicks.histories[i, :length].tolist()
        obvious = Obvious(clicks, i, now)
        of_user = np.flatnonzero(clicks.users[:i] == clicks.users[i])
        if mask:
            of_user = of_user[:-length]
        past = [(int(clicks.targets[k]), float(clicks.times[k])) for k in of_user]
        allowed = {item for item, _ in obvious.clicks} - set(history if mask else [])
        rows = described.values[described.starts[n] : described.starts[n + 1]]
        assert len(rows) == len(allowed)
        expected = []
        for item in sorted(allowed):
            values = obvious.features(item, history, past)
            expected.append(
                [values[name] + offset for name, offset in zip(NAMES, OFFSETS, strict=True)]
            )
        newest_first = np.argsort([row[SINCE_LAST_CLICK] for row in expected])
        found = rows[np.argsort(rows[:, SINCE_LAST_CLICK])]
        assert np.allclose(np.array(expected)[newest_first], found, rtol=1e-4)
        target = int(described.targets[n])
        assert (target >= 0) == (int(clicks.targets[i]) in allowed)
        if target >= 0:
            own = expected[sorted(allowed).index(int(clicks.targets[i]))]
            assert np.allclose(described.values[target], own, rtol=1e-4)
        assert described.learnable[n] == (target >= 0)
        checked += len(rows)
    assert checked > 50


def test_the_context_is_the_users() -> None:
    """Pause, length, hour, and what is known of the newest item."""
    clicks, described = described_stream(mask=True)
    for n in (50, 200, 350):
        i = int(described.clicks[n])
        length, now = int(clicks.lengths[i]), float(clicks.times[i])
        last, then = int(clicks.histories[i, length - 1]), clicks.history_times[i, length - 1]
        obvious = Obvious(clicks, i, now)
        voted = set()
        for back, source in enumerate(reversed(clicks.histories[i, :length].tolist())):
            voted |= set(obvious.row(source, HALF_LIVES[-1])) if back < HISTORY_CLICKS else set()
            if back < TOGETHER_CLICKS:
                voted |= {end for start, end, _ in obvious.shared if start == source}
        expected = {
            "pause": math.log1p((now - then) / 10.0),
            "length": math.log(length),
            "hour_sine": math.sin(2 * math.pi * now / DAY_SECONDS),
            "hour_cosine": math.cos(2 * math.pi * now / DAY_SECONDS),
            "last_popularity": math.log(obvious.popularity(last, 3600.0) + 0.01),
            "last_mass": math.log(sum(obvious.row(last, DAY_SECONDS).values()) + 0.1),
            "reach": math.log1p(len(voted)),
        }
        found = dict(zip(CONTEXT, described.context[n].tolist(), strict=True))
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
