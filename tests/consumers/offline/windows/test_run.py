"""Runs over windows, against slow and obvious ones."""

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from consumers.offline.windows.options import MODES, WindowOptions
from consumers.offline.windows.run import replay_windows
from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counters import BaselineCounters
from gsr.baselines.interface import Baseline
from gsr.baselines.together import BaselinesTogether
from gsr.counters.ids.id_column import IdColumn
from gsr.quality.ranking_metrics import METRICS, MISS, metric_values
from stream.clock import ManualClock
from tests.consumers.offline.windows.tables import Row, random_rows, write_table

ENDLESS = 1e30
"""A half-life with which popularity is the number of clicks."""

CONFIG = {
    "model": {"dimension": 8, "hidden": 8, "history_length": 8, "listed": 20, "kept": 20},
    "learner": {"block": 50, "step": 25, "sampled": 16},
}


def options_of(tmp_path: Path, rows: list[Row], **changes: Any) -> WindowOptions:
    """Return options of a table of `rows`, for the baselines alone."""
    named: dict[str, Any] = {
        "user": "user_id",
        "session": "session_id",
        "time": "timestamp",
        "window": "window",
        "joint": False,
    }
    return WindowOptions(events=write_table(tmp_path / "t.csv", rows), **{**named, **changes})


def alone(baseline: Baseline | None = None) -> BaselinesTogether:
    """Return one baseline as all of them; popularity for ever, unless another is given."""
    one = baseline or BaselineCounters((ENDLESS,))
    return BaselinesTogether({"counters": one}, ManualClock().monotonic)


def _rank(counts: Counter[str], item: str, hidden: AbstractSet[str]) -> int:
    if not counts[item] or item in hidden:
        return MISS
    return sum(count >= counts[item] for other, count in counts.items() if other not in hidden)


@pytest.mark.parametrize("repeats", ["include", "exclude"])
@pytest.mark.parametrize("tested", ["last", "each"])
def test_popularity_is_frozen_or_live(tmp_path: Path, tested: str, repeats: str) -> None:
    """Frozen: counts of the windows before; live: of every click before, too."""
    rows = random_rows(0)
    options = options_of(tmp_path, rows, tested=tested, repeats=repeats, modes=MODES)
    found = replay_windows(options, alone())
    counts: Counter[str] = Counter()
    means: dict[str, list[npt.NDArray[np.float64]]] = {mode: [] for mode in MODES}
    for window in range(5):
        clicks = [row for row in rows if row.window == window]
        before, taken = counts.copy(), defaultdict[str, list[str]](list)
        left = Counter(row.session for row in clicks)
        ranks: dict[str, list[int]] = {mode: [] for mode in MODES}
        for row in clicks:
            left[row.session] -= 1
            asked = taken[row.session] and (tested == "each" or not left[row.session])
            if window and asked:
                hidden = frozenset(taken[row.session] if repeats == "exclude" else ())
                ranks["frozen"].append(_rank(before, row.item, hidden))
                ranks["live"].append(_rank(counts, row.item, hidden))
            taken[row.session].append(row.item)
            counts[row.item] += 1
        for mode in MODES:
            part = found["windows"][window][mode]
            assert part["cases"] == len(ranks[mode])
            if ranks[mode]:
                values = metric_values(np.array(ranks[mode], dtype=np.int32)).mean(axis=0)
                means[mode].append(values)
                name = f"popularity@{ENDLESS:g}"
                np.testing.assert_allclose([part[name][m] for m in METRICS], values)
    for mode in MODES:
        over = found["over_windows"][mode][f"popularity@{ENDLESS:g}"]
        np.testing.assert_allclose([over[m] for m in METRICS], np.mean(means[mode], axis=0))
    assert found["counts"]["clicks"] == len(rows)
    assert found["counts"]["sessions"] == len({(row.window, row.session) for row in rows})


class Recorder:
    """A baseline that keeps what it was asked and ranks everything first."""

    names = ("recorder",)

    def __init__(self) -> None:
        self.asked: list[CountedClicks] = []
        self.counted: list[int] = []
        self.told: list[int] = []

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Note the question and how much was counted before."""
        assert scored.all()
        assert not mask_history
        self.asked.append(clicks)
        self.told.append(len(self.counted))
        return np.ones((len(scored), 1), dtype=np.int32)

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Note the clicks."""
        assert not scored.any()
        assert not mask_history
        self.counted += clicks.targets.tolist()
        return np.full((len(scored), 1), MISS, dtype=np.int32)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Nothing is kept of rows."""


@pytest.mark.parametrize("histories", ["session", "user"])
@pytest.mark.parametrize("known_only", [False, True])
def test_frozen_histories_are_the_clicks_before(
    tmp_path: Path, histories: Any, known_only: bool
) -> None:
    """Of the session or of the user, without items that were unknown when the window began."""
    rows, recorder = random_rows(4), Recorder()
    options = options_of(
        tmp_path, rows, tested="each", histories=histories, known_items_only=known_only
    )
    replay_windows(options, alone(recorder))
    places: dict[str, int] = {}
    past: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    questions = iter(zip(recorder.asked, recorder.told, strict=True))
    for window in range(5):
        clicks = [row for row in rows if row.window == window]
        known = dict(places)
        now = {key: list(items) for key, items in past.items()}
        expected, taken = [], Counter[str]()
        for row in clicks:
            key = (window, row.session) if histories == "session" else (row.user,)
            read = window and (row.item in known or not known_only)
            if read and taken[row.session]:
                expected.append((known.get(row.item, -1), list(now.get(key, []))))
            taken[row.session] += bool(read)
            if row.item in known:
                now.setdefault(key, []).append(known[row.item])
            places.setdefault(row.item, len(places))
            past[key].append(places[row.item])
        if not window:
            continue
        asked, told = next(questions)
        assert told == sum(row.window < window for row in rows)
        assert asked.targets.tolist() == [target for target, _ in expected]
        for case, (_, before) in enumerate(expected):
            assert asked.histories[case, : asked.lengths[case]].tolist() == before[-64:]
    assert next(questions, None) is None
    assert recorder.counted == [places[row.item] for row in rows]


@pytest.mark.parametrize("repeats", ["include", "exclude"])
def test_the_joint_model_is_tested_on_the_same_cases(tmp_path: Path, repeats: str) -> None:
    """Baselines beside it find what they find alone; cycles end with their windows."""
    rows = random_rows(5, windows=3)
    options = options_of(
        tmp_path, rows, tested="each", repeats=repeats, modes=MODES, cycle_clicks=30
    )
    config = options.config.with_values(CONFIG)
    without = replay_windows(options, alone())
    found = replay_windows(
        WindowOptions(
            **{name: getattr(options, name) for name in options.__slots__}
            | {"joint": True, "config": config}
        ),
        alone(),
    )
    assert found["models"] == ["joint", *without["models"]]
    for mode in MODES:
        joint = found["over_windows"][mode].pop("joint")
        assert 0.0 < joint["mrr@20"] < joint["hr@20"] <= 1.0
        assert found["over_windows"][mode] == without["over_windows"][mode]
        assert found["over_cases"][mode]["cases"] == without["over_cases"][mode]["cases"] > 0


def test_ids_of_users_are_those_of_the_histories(tmp_path: Path) -> None:
    """A baseline may know users by their hashes: one for all clicks of a session."""
    rows, recorder = random_rows(6), Recorder()
    replay_windows(options_of(tmp_path, rows, tested="each"), alone(recorder))
    hashes = np.concatenate([asked.users for asked in recorder.asked])
    assert len(np.unique(hashes)) > 1
    names = [str(number) for number in range(len({(r.window, r.session) for r in rows}))]
    assert set(hashes.tolist()) <= set(IdColumn.of(names).hashes.tolist())
