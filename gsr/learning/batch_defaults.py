"""Default shape of the model for a fixed set of clicks, by its size. Imports no torch."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions
from gsr.votes.click_graph import UNDYING

SHORTEST_HISTORY: Final = 50
LONGEST_HISTORY: Final = 200
FIRST_WEIGHTS: Final = 0.02
"""As in BERT: what is small at first stays closer to the item vectors that it reads."""

SPARSE_CLICKS: Final = 30
"""Where the average item has fewer clicks than this, embeddings overfit first of all."""

ENSEMBLE: Final = 4
"""Encoders that overfit each in its own way, of which the sum does less."""


def batch_model(interactions: Interactions, ends: npt.NDArray[np.int64]) -> ModelConfig:
    """Return the joint model's shape for the clicks ``starts[u] : ends[u]`` of every user u.

    Histories are read as far back as nineteen in twenty users go, within limits; where items are
    seldom clicked, each of several encoders has short vectors of its own, and dropout is high.
    """
    lengths = (ends - interactions.starts[:-1]).astype(float)
    usual = float(np.quantile(lengths, 0.95)) if len(lengths) else 0.0
    sparse = lengths.sum() < SPARSE_CLICKS * interactions.item_count
    return replace(
        ModelConfig(),
        half_lives=UNDYING,
        dimension=ENSEMBLE * 64 if sparse else 128,
        blocks=2,
        heads=2,
        ensemble=ENSEMBLE if sparse else 1,
        history_length=int(np.clip(np.ceil(usual), SHORTEST_HISTORY, LONGEST_HISTORY)),
        graph_encoder=False,
        channel_history=20,
        channel_decay=0.85,
        context_sees_user=False,
        dropout=0.5 if sparse else 0.2,
        first_weights=FIRST_WEIGHTS,
        new_item_boost=1.0,
    )
