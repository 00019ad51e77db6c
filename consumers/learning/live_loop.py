"""The learning loop with a service's settings, and the view of its counters for publishers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.serving.view import ServingView
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.loop.options import LoopOptions
from gsr.ranker.model import RankerModel

CYCLES_WAITING: Final = 2
"""Cycles' worth of samples that may wait; older ones are shed."""


def loop_options(config: GsrConfig) -> LoopOptions:
    """Return the options that every loop shares."""
    return LoopOptions(state=config.state.shape(), model=config.model, learner=config.learner)


def live_loop(config: GsrConfig, model: RankerModel | None = None) -> LearningLoop:
    """Return an empty loop; its baselines have the state's half-lives.

    Parameters
    ----------
    config
        All settings.
    model
        To go on with; None: a new one.
    """
    options = replace(
        loop_options(config),
        partitions=config.log.partitions,
        mask_seen=not config.publisher.allow_repeats,
        half_lives=config.state.half_lives_seconds,
        recent_clicks=config.trainer.recent_clicks,
        most_samples=CYCLES_WAITING * config.trainer.cycle_max_clicks,
    )
    return LearningLoop(options, model)


def serving_view(mirror: Mirror, created_at: float, positions: Mapping[int, int]) -> ServingView:
    """Return the mirror's counters as the publisher reads them."""
    return ServingView(
        graph=mirror.graph(),
        item_ids=mirror.item_ids,
        generations=mirror.generations.copy(),
        reference_time=mirror.arrays.watermark,
        created_at=created_at,
        positions=dict(positions),
    )
