"""Learning of one model anew, from the first clicks of a stream; what a process of it does.

As `gsr evaluate` would: encoders learn all but the newest clicks, on which validation chooses when
they stop; then they learn everything, for as long as that was. What they are worth beside the live
counters the ranker learns on the stream.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from consumers.config.settings import GsrConfig
from consumers.offline.evaluation.learning import LearningRules, SeedLearning
from consumers.offline.replay.retraining.click_copy import copied_clicks
from consumers.offline.replay.retraining.model_files import Learned, ModelFiles
from consumers.offline.replay.retraining.settings import (
    encoder_shape,
)
from consumers.runtime.progress import quiet
from consumers.runtime.usage import process_usage
from gsr.config import BatchConfig, ModelConfig
from gsr.counters.click_batch import ClickBatch
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.errors import SplitError
from gsr.learning.batch_learner import ITEMS
from gsr.network.model import JointModel
from gsr.quality.protocols import Split, whole
from stream.events.clicks.from_events import to_click_batch

CYCLE_CLICKS: Final = 512
"""Clicks that are counted together; the same whatever comes after the moment."""

MOST_CASES: Final = 8192
"""So many clicks are enough to select by."""

PATIENT_STEPS: Final = 500
"""Learning rates rise for a hundred steps, and the first few hundred teach little."""

_PAUSES: Final = "fusion.pauses"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder:
    """One model to learn.

    Parameters
    ----------
    copy
        The stream's clicks (`click_copy`).
    clicks
        Only so many of them are read.
    files
        Where the model goes.
    config
        Settings of the stream.
    seed
        Of everything random.
    mask_seen
        Whether clicks on what the user's buffer holds are left out, and these items from rankings.
    passes
        Over the clicks, at most; None: see `learning_rules`.
    shape
        See `RetrainingOptions`.
    """

    copy: Path
    clicks: int
    files: ModelFiles
    config: GsrConfig
    seed: int
    mask_seen: bool
    passes: int | None
    shape: Mapping[str, Any]

    def batches(self) -> Iterator[ClickBatch]:
        """Yield the clicks that may be known."""
        rules, offset = self.config.events.rules(), 0
        for columns in copied_clicks(self.copy, self.clicks, CYCLE_CLICKS):
            yield to_click_batch(columns, rules, offset)
            offset += len(columns)


def train(order: TrainingOrder) -> Learned:
    """Learn the model and leave its files; return what is known of it.

    Raises
    ------
    TrainingError
        The loss was not finite.
    StorageFullError
        The files cannot be written.
    """
    began = time.monotonic()
    torch.set_num_threads(1)  # there are other processes for the other cores
    passes, reason = 0, None
    try:
        interactions, item_ids = numbered_clicks(order)
        split = split_of(interactions)
    except SplitError as error:
        reason = f"too few clicks to learn from: {error}"
    else:
        model, passes = _learned_model(order, split)
        order.files.write_weights(model, item_ids)
    learned = Learned(
        clicks=order.clicks,
        passes=passes,
        seconds=time.monotonic() - began,
        **asdict(process_usage()),
        reason=reason,
    )
    order.files.write_learned(learned)
    return learned


def numbered_clicks(order: TrainingOrder) -> tuple[Interactions, list[str]]:
    """Return the clicks that encoders read, and the ids of their items.

    Raises
    ------
    SplitError
        There are none.
    """
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    weights = np.array(order.config.model.event_weights)
    for batch in order.batches():
        rows = np.flatnonzero(weights[batch.events] > 0.0)
        clicks = batch.rows(rows)
        parts.append(
            (
                np.array(
                    [users.setdefault(user, len(users)) for user in clicks.user_ids], np.int64
                ),
                np.array(
                    [items.setdefault(item, len(items)) for item in clicks.item_ids], np.int64
                ),
                clicks.times,
                np.zeros(len(clicks), np.uint8),
            )
        )
    if not items:
        raise SplitError("no click has a weight above 0")
    user_rows, item_rows, times, events = map(np.concatenate, zip(*parts, strict=True))
    interactions = gather_interactions(
        user_rows, item_rows, times, events, user_count=len(users), item_count=len(items)
    )
    return interactions, list(items)


def split_of(interactions: Interactions) -> Split:
    """Return what selects and what is learned; of very many clicks, some select for all.

    Raises
    ------
    SplitError
        There is nothing to learn or nothing to select by.
    """
    split = whole(interactions)
    cases = split.valid.cases
    step = ceil(len(cases) / MOST_CASES)
    return replace(split, valid=replace(split.valid, cases=cases[::step]))


def learning_rules(
    split: Split, shape: ModelConfig, batch: BatchConfig, passes: int | None
) -> LearningRules:
    """Return when learning ends: as an evaluation does, but never after too few steps to tell.

    A pass over few clicks is only a step or two, so there validation has to be without a better
    result for more passes.

    Parameters
    ----------
    split
        What is learned.
    shape, batch
        Settings.
    passes
        At most; None: ten times as many as are waited for without a better result.
    """
    stage, clicks = split.valid, split.interactions
    learned = np.clip(stage.learned_ends - clicks.starts[:-1] - 1, 0, shape.history_length)
    steps = max(1.0, float(learned.sum()) / batch.batch_positions)
    patience = max(LearningRules().patience, ceil(PATIENT_STEPS / steps))
    return LearningRules(patience=patience, most_passes=passes or 10 * patience)


def assembled(shape: ModelConfig, seed: int, weights: Mapping[str, Tensor]) -> JointModel:
    """Return encoders with the weights that `BatchLearner` has learned.

    Parameters
    ----------
    shape
        See `settings.encoder_shape`.
    seed
        Of the generator that seeds new rows.
    weights
        Of `BatchLearner.weights`.
    """
    model = JointModel(shape, seed)
    items = weights[ITEMS]
    model.table.load(items, torch.zeros(len(items), dtype=torch.int64))
    found = {name: value for name, value in weights.items() if name != ITEMS}
    if _PAUSES in found:
        # A fixed set knows nothing of the pause that goes on: every length is the one it learned.
        found[_PAUSES] = found[_PAUSES][:1].expand_as(found[_PAUSES])
    model.network.load_state_dict(found)
    return model


def _learned_model(order: TrainingOrder, split: Split) -> tuple[JointModel, int]:
    """Return the encoders, and how many passes they took."""
    shape = encoder_shape(split.interactions, split.valid.learned_ends, order.shape)
    batch = BatchConfig()
    learning = SeedLearning(
        split,
        shape,
        batch,
        order.seed,
        rules=learning_rules(split, shape, batch, order.passes),
        mask_seen=order.mask_seen,
        device="cpu",
        kept=None,
    )
    learning.learn(quiet)
    learned = learning.learn_again(quiet)
    model = assembled(shape, order.seed, learned.weights())
    return model, learning.record.passes + learning.record.best_pass
