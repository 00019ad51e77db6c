"""Default shapes of encoders and ranker for a fixed set of clicks."""

import numpy as np
import pytest

from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_defaults import SHORTEST_SPAN, TIME_SCALES, batch_model, batch_ranker
from tests.gsr.world import one_click_a_minute

ITEMS = 24


def clicks_of(length: int, item_count: int = ITEMS) -> Interactions:
    """Return the clicks of a hundred users, so many each."""
    items = np.random.default_rng(0).integers(ITEMS, size=(100, length))
    return one_click_a_minute(items, item_count)


def shape_of(clicks: Interactions) -> ModelConfig:
    """Return the shape for all clicks."""
    return batch_model(clicks, clicks.starts[1:])


@pytest.mark.parametrize(("length", "read"), [(9, 50), (120, 120), (300, 200)])
def test_histories_are_read_as_far_back_as_users_go(length: int, read: int) -> None:
    """Within limits."""
    assert shape_of(clicks_of(length)).history_length == read


def test_a_few_long_histories_are_cut() -> None:
    """One user in twenty may go further back than is read."""
    clicks, ends = clicks_of(199), np.arange(100) * 199 + 100
    ends[:4] += 99
    assert batch_model(clicks, ends).history_length == 100


def test_rarely_clicked_items_ask_for_short_vectors_and_more_dropout() -> None:
    """Below thirty clicks an item, by the clicks that are learned."""
    often = shape_of(clicks_of(9))
    assert (often.dimension, often.ensemble, often.dropout) == (128, 1, 0.2)
    seldom = shape_of(clicks_of(9, item_count=5000))
    assert (seldom.dimension, seldom.ensemble, seldom.dropout) == (64, 1, 0.5)


def test_there_may_be_nothing_to_learn() -> None:
    clicks = one_click_a_minute(np.empty((0, 3), np.int64), ITEMS)
    assert shape_of(clicks).history_length == 50


def test_the_time_scales_of_the_counters_are_shares_of_the_time_that_clicks_span() -> None:
    """Of those that are learned: what is later is not known."""
    clicks = clicks_of(61)
    ends = clicks.starts[:-1] + 51
    span = float(np.ptp(clicks.times[: len(clicks)].reshape(100, 61)[:, :51]))
    ranker = batch_ranker(clicks, ends, (1.0, 0.0))
    assert ranker.half_lives == pytest.approx([share * span for share in TIME_SCALES])
    assert ranker.event_weights == (1.0, 0.0)
    shortest = batch_ranker(clicks, clicks.starts[:-1], (1.0,))
    assert shortest.half_lives == pytest.approx([s * SHORTEST_SPAN for s in TIME_SCALES])
