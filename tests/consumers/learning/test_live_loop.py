"""The trainer's loop follows the settings of a service."""

import numpy as np

from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import live_loop, serving_view
from gsr.ranker.model import RankerModel
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL
from tests.gsr.loop.world import ring

CONFIG = GsrConfig().with_values({"model": SMALL_MODEL, "learner": SMALL_LEARNER})


def test_sections_shape_the_loop() -> None:
    """Partitions, repeats, room and half-lives are the configured ones."""
    config = CONFIG.with_values(
        {
            "log": {"partitions": 3},
            "publisher": {"allow_repeats": True},
            "state": {"half_lives_seconds": (60.0, 600.0), "max_items": 100},
            "trainer": {"cycle_max_clicks": 500},
            "events": {"weights": {"click": 1.0, "hide": -1.0}},
        }
    )
    loop = live_loop(config)
    options = loop.options
    assert (options.partitions, options.mask_seen, options.most_samples) == (3, False, 1000)
    assert options.half_lives == options.state.half_lives == (60.0, 600.0)
    assert loop.mirror.weights.tolist() == [1.0, -1.0]
    assert loop.mirror.arrays.config.max_items == 300


def test_it_goes_on_with_a_model_or_begins_with_the_seeds_own() -> None:
    """The same seed begins with the same weights."""
    model = RankerModel(CONFIG.model, 7)
    assert live_loop(CONFIG, model).stream.model is model
    weights = live_loop(CONFIG).stream.model.network.weights
    expected = RankerModel(CONFIG.model, CONFIG.learner.seed).network.weights
    for mine, theirs in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_view_is_the_counters_as_they_are() -> None:
    """What happens to rows afterwards does not reach its generations."""
    loop = live_loop(CONFIG)
    loop.advance(ring(50))
    mirror = loop.mirror
    view = serving_view(mirror, 5.0, {0: 50})
    assert (view.created_at, view.positions) == (5.0, {0: 50})
    assert view.reference_time == mirror.arrays.watermark
    assert view.item_ids == mirror.item_ids
    before = view.generations.tolist()
    mirror.generations[:] += 1
    assert view.generations.tolist() == before
