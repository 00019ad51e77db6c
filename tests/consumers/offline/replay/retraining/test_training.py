"""Learning a model anew: nothing past its clicks reaches it, and what it learns, it knows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from consumers.offline.replay.retraining import training
from consumers.offline.replay.retraining.training import (
    assembled,
    learning_rules,
    numbered_clicks,
    train,
)
from gsr.config import BatchConfig, ModelConfig
from gsr.counters.interactions import Interactions
from gsr.counters.users.histories import Histories
from gsr.network.encoded import EncodedItems
from gsr.quality.protocols import Cases, Split, Stage, whole
from gsr.ranking.case_encoding import encode_cases
from tests.consumers.offline.replay.retraining.world import CONFIG, encoders_of, order_in
from tests.consumers.offline.replay.small_replays import shoppers
from tests.gsr.world import one_click_a_minute


def test_no_later_click_reaches_a_model(tmp_path: Path) -> None:
    """Other clicks after its moment: the same bytes. Another click before it: other ones."""
    rows = shoppers(600)
    orders = [
        order_in(tmp_path / "a", rows),
        order_in(tmp_path / "b", [*rows[:400], *(("x", "new", 2e9 + n) for n in range(90))]),
        order_in(tmp_path / "c", [*rows[:200], ("u1", "other", rows[200][2]), *rows[201:]]),
    ]
    learned = [train(order) for order in orders]
    found = [order.files.weights.read_bytes() for order in orders]
    assert found[0] == found[1]
    assert found[0] != found[2]
    for order, one in zip(orders, learned, strict=True):
        assert (one.clicks, one.reason) == (400, None)
        assert one.passes > 2
        assert one.cpu_seconds > 0.0
        assert order.files.learned() == one
        assert {path.name for path in order.copy.parent.iterdir()} == {
            *("clicks.parquet", "model-0000.safetensors", "model-0000.json")
        }


def test_too_few_clicks_make_no_model(tmp_path: Path) -> None:
    """Which is said, not an error: a log may begin slowly."""
    order = order_in(tmp_path / "few", [(f"u{n}", "i", 1e9 + n) for n in range(9)], clicks=9)
    learned = train(order)
    assert learned.reason is not None
    assert "too few clicks to learn from: no user has two clicks" in learned.reason
    assert not order.files.weights.exists()
    assert order.files.learned() == learned


def test_clicks_without_weight_are_not_read(tmp_path: Path) -> None:
    """As on the stream, where such clicks only mark an item as seen."""
    order = order_in(tmp_path / "all")
    clicks, item_ids = numbered_clicks(order)
    assert len(clicks) == 400
    assert item_ids[:2] == [row[1] for row in shoppers(2)]
    nothing = CONFIG.with_values({"events": {"weights": {"click": 0.0}, "default_event": "click"}})
    silent = replace(order, config=nothing)
    assert "above 0" in (train(silent).reason or "")


def test_a_model_of_the_stream_encodes_as_the_batch_learner_does(tmp_path: Path) -> None:
    """However long the pause since the last click is."""
    order = order_in(tmp_path)
    learner = encoders_of(order)
    weights = learner.weights()
    model = assembled(learner.model.config, 1, weights)
    interactions, _ = numbered_clicks(order)
    cases = whole(interactions).valid.cases
    learner.load_weights(weights)
    items = weights["items"]
    expected = encode_cases(learner.model, interactions, cases, items).detach()
    assert torch.equal(model.table.weight, items)
    encoded = EncodedItems(items.numpy(), None)
    for pause in (0.0, 1e6):
        found = model.user_vectors(_histories(interactions, cases, pause), encoded)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-6)


def _histories(clicks: Interactions, cases: Cases, pause: float) -> Histories:
    """Return what each case's user clicked before, a pause after the newest click."""
    lengths = cases.history_lengths(clicks)
    shape = (len(cases), int(lengths.max()))
    items, times = np.full(shape, -1, np.int64), np.zeros(shape)
    for row, (position, length) in enumerate(zip(cases.positions, lengths, strict=True)):
        items[row, :length] = clicks.items[position - length : position]
        times[row, :length] = clicks.times[position - length : position]
    newest = clicks.times[cases.positions - 1]
    return Histories(items, times, np.zeros(shape, np.uint8), lengths, newest + pause)


@pytest.mark.parametrize(
    ("users", "passes", "expected"),
    [(2, None, (250, 2500)), (200, None, (20, 200)), (2, 7, (250, 7))],
)
def test_few_clicks_are_gone_through_more_often(
    users: int, passes: int | None, expected: tuple[int, int]
) -> None:
    """Patience is as of an evaluation where a pass is many steps, else 500 steps."""
    clicks = one_click_a_minute(np.arange(users * 10).reshape(users, 10) % 7, 7)
    ends = clicks.starts[1:]
    nobody = Cases(np.zeros(0, np.int64), np.zeros(0, np.int64))
    stage = Stage(ends, nobody, ends, live_by_time=True)
    split = Split(clicks, "whole", {}, valid=stage, test=stage)
    shape = ModelConfig(history_length=8)
    rules = learning_rules(split, shape, BatchConfig(batch_positions=8), passes)
    assert (rules.patience, rules.most_passes) == expected


def test_a_long_log_selects_by_some_of_its_newest_clicks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evenly, and always the same ones."""
    interactions, _ = numbered_clicks(order_in(tmp_path))
    everything = whole(interactions).valid.cases
    monkeypatch.setattr(training, "MOST_CASES", 7)
    some = training.split_of(interactions).valid.cases
    assert 3 < len(some) <= 7
    assert set(some.positions.tolist()) < set(everything.positions.tolist())
