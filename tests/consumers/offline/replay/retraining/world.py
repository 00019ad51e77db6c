"""Shoppers on a ring, copied for processes that learn from the first of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from consumers.config.settings import GsrConfig
from consumers.offline.replay.retraining.click_copy import copy_clicks
from consumers.offline.replay.retraining.model_files import ModelFiles
from consumers.offline.replay.retraining.settings import encoder_shape
from consumers.offline.replay.retraining.training import TrainingOrder, numbered_clicks
from gsr.config import BatchConfig
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.quality.protocols import whole
from stream.events.clicks.event_columns import EventColumns
from tests.consumers.offline.replay.small_replays import shoppers
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL

Rows = Sequence[tuple[str, str, float]]

CONFIG: Final = GsrConfig().with_values({"model": SMALL_MODEL, "learner": SMALL_LEARNER})
SHAPE: Final = {"dimension": 8, "ensemble": 1, "blocks": 1, "heads": 1, "history_length": 8}


def columns_of(rows: Rows) -> EventColumns:
    """Return (user, item, time) as event columns."""
    users, items, times = zip(*rows, strict=True)
    nothing: list[str | None] = [None] * len(rows)
    return EventColumns(list(users), list(items), np.array(times), nothing, list(nothing))


def order_in(directory: Path, rows: Rows | None = None, **changes: Any) -> TrainingOrder:
    """Copy clicks, of 40 shoppers unless given, and order a small model of the first 400."""
    directory.mkdir(exist_ok=True)
    copy = directory / "clicks.parquet"
    for _ in copy_clicks([columns_of(rows or shoppers(600))], copy):
        pass
    settings: dict[str, Any] = {
        "copy": copy,
        "clicks": 400,
        "files": ModelFiles(directory, 0),
        "config": CONFIG,
        "seed": 1,
        "mask_seen": True,
        "passes": 2,
        "shape": SHAPE,
    }
    return TrainingOrder(**settings | changes)


def encoders_of(order: TrainingOrder) -> BatchLearner:
    """Return encoders that learned all of an order's clicks but the newest, for a while."""
    interactions, _ = numbered_clicks(order)
    ends = whole(interactions).valid.learned_ends
    shape = encoder_shape(interactions, ends, SHAPE)
    learner = BatchLearner(JointModel(shape, 1), BatchConfig(), interactions, ends, 1)
    for _ in range(3):
        learner.learn_once()
    return learner
