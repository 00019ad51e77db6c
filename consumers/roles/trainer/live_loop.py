"""The learning loop as the live trainer runs it, and what it shows the publisher."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch

from consumers.config.settings import GsrConfig
from consumers.roles.trainer.learning_loop import LearningLoop
from consumers.roles.trainer.loop_records import LoopOptions
from consumers.roles.trainer.mirror import Mirror
from consumers.serving.view import ServingView
from gsr.learning.learner import Learner
from gsr.network.model import JointModel

WINDOW_SECONDS: Final = 3600.0
WINDOWS_KEPT: Final = 48

SAMPLES_PER_CYCLE: Final = 2
"""Cycles' worth of samples that may wait; older ones are shed."""


def live_loop(config: GsrConfig, model: JointModel) -> LearningLoop:
    """Return an empty loop around `model`; its baselines have the state's half-lives."""
    torch.set_num_threads(config.trainer.threads)  # steps are small: more threads only spin
    shape = config.state.shape()
    options = LoopOptions(
        state=shape,
        rules=config.events.rules(),
        model=config.model,
        learner=config.learner,
        mask_seen=not config.publisher.allow_repeats,
        half_lives=shape.half_lives,
        window_seconds=WINDOW_SECONDS,
        windows_kept=WINDOWS_KEPT,
        recent_clicks=config.trainer.recent_clicks,
        alarm_effort=config.trainer.alarm_effort,
        alarm_cycles=config.trainer.alarm_cycles,
        most_samples=SAMPLES_PER_CYCLE * config.trainer.cycle_max_clicks,
    )
    return LearningLoop(
        options,
        Mirror(shape, options.rules, partitions=config.log.partitions),
        Learner(model, config.learner),
        np.random.default_rng(config.learner.seed),
    )


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
