"""The newest clicks, recorded as a model meets them on the stream."""

from pathlib import Path

import numpy as np
import pytest

from consumers.offline.replay.retraining import recorded_choices as module
from consumers.offline.replay.retraining.recorded_choices import recorded_choices
from consumers.offline.replay.retraining.settings import serving_config, serving_shape
from consumers.offline.replay.retraining.training import TrainingOrder, assembled, numbered_clicks
from gsr.counters.users.histories import Histories
from gsr.learning.recorded_trust import RecordedChoices
from gsr.network.encoded import EncodedItems
from gsr.network.model import JointModel
from gsr.votes.channels import context_count
from tests.consumers.offline.replay.retraining.world import encoders_of, order_in
from tests.consumers.offline.replay.small_replays import shoppers
from tests.gsr.loop.world import loop_of

Rows = list[tuple[str, str, float]]

ROWS: Rows = shoppers(400)
FIRST = 300
"""Clicks before the moment."""


def model_of(order: TrainingOrder) -> JointModel:
    learner = encoders_of(order)
    shape = serving_shape(learner.model.config, serving_config(order.config))
    return assembled(shape, 1, learner.weights())


def recorded_of(order: TrainingOrder, model: JointModel, after: float) -> RecordedChoices:
    return recorded_choices(
        order.batches(),
        model,
        numbered_clicks(order)[1],
        config=order.config,
        seed=order.seed,
        mask_seen=True,
        after=after,
    )


def scored() -> list[tuple[Rows, str]]:
    """Return each scored click on an item from before the moment, with its user's clicks before.

    Of these, too, only those on such items have vectors to be read.
    """
    known, found = {item for _, item, _ in ROWS[:FIRST]}, []
    for number in range(FIRST, len(ROWS)):
        user, item, _ = ROWS[number]
        before = [row for row in ROWS[:number] if row[0] == user]
        if before and item in known and item not in {row[1] for row in before}:
            found.append(([row for row in before if row[1] in known], item))
    return found


def slow_score(model: JointModel, ids: list[str], before: Rows, item: str) -> float:
    """Return the product of a user's and an item's vector, by the model's own row numbers."""
    items = np.array([[ids.index(row[1]) for row in before]])
    times = np.array([[row[2] for row in before]])
    user = Histories(
        items, times, np.zeros(items.shape, np.uint8), np.array([len(before)]), times[:, -1]
    )
    vectors = model.table.weight.numpy()
    found = model.user_queries(
        user,
        loop_of().mirror.graph(),
        items=EncodedItems(vectors, None),
        context=np.zeros((1, context_count(model.config.scales)), np.float32),
    )
    return float(found.vectors[0] @ vectors[ids.index(item)])


def test_the_newest_scored_clicks_are_recorded(tmp_path: Path) -> None:
    """Those of known users on items from before the moment, with the model's score of each."""
    order = order_in(tmp_path)
    recorded = recorded_of(order, model_of(order), ROWS[FIRST - 1][2])
    ids, model = numbered_clicks(order)[1], model_of(order)
    expected = [slow_score(model, ids, *case) for case in scored()]
    assert len(expected) > 30
    np.testing.assert_allclose(recorded.neural[:, 0], expected, rtol=1e-4, atol=1e-6)
    assert recorded.features.shape[:2] == recorded.candidates.shape == recorded.neural.shape
    assert (recorded.neural[recorded.candidates < 0] == 0.0).all()


def test_without_newest_clicks_nothing_is_recorded(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    assert len(recorded_of(order, JointModel(serving_config(order.config), 0), after=2e9)) == 0


def test_the_oldest_clicks_are_left_out_of_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the stream stays as long as the others do not suffice."""
    order = order_in(tmp_path)
    model, moment = model_of(order), ROWS[FIRST - 1][2]
    monkeypatch.setattr("consumers.offline.replay.retraining.training.CYCLE_CLICKS", 20)
    whole = recorded_of(order, model_of(order), moment)
    monkeypatch.setattr(module, "MOST_CLICKS", 30)
    newest = recorded_of(order, model, moment)
    assert 30 <= len(newest) < len(whole)
    assert (newest.context == whole.context[-len(newest) :]).all()
