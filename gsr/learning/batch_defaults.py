"""Shapes of encoders and ranker for a fixed set of clicks, by what it is. Imports no torch."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions
from gsr.quality.protocols import clicks_before
from gsr.ranker.config import RankerConfig
from gsr.votes.click_graph import UNDYING

SHORTEST_HISTORY: Final = 50
LONGEST_HISTORY: Final = 200
FIRST_WEIGHTS: Final = 0.02
"""As in BERT: what is small at first stays closer to the item vectors that it reads."""

SPARSE_CLICKS: Final = 30
"""Where the average item has fewer clicks than this, embeddings overfit first of all."""

TIME_SCALES: Final = (0.01, 0.1, 1.0, 100.0)
CLOSE_TIME_SCALES: Final = (0.1, 100.0)
"""Half-lives of the counters, as shares of the time from the first click to the last. A fixed set
is asked about as a whole: nothing fades within minutes, and on the longest scale nothing at all."""

HIDDEN: Final = 64
"""Units of the network that ranks, more than on a stream: what is learned once may cost it."""

SHORTEST_SPAN: Final = 1000.0
"""Seconds: so a half-life is never shorter than a clock's."""


def batch_ranker(
    interactions: Interactions, ends: npt.NDArray[np.int64], event_weights: tuple[float, ...]
) -> RankerConfig:
    """Return the ranker's shape for the clicks ``starts[u] : ends[u]`` of every user u.

    Its time scales are shares of the time that these clicks span.
    """
    times = interactions.times[clicks_before(interactions, ends)]
    span = max(float(np.ptp(times)) if len(times) else 0.0, SHORTEST_SPAN)
    return RankerConfig(
        half_lives=tuple(share * span for share in TIME_SCALES),
        close_half_lives=tuple(share * span for share in CLOSE_TIME_SCALES),
        event_weights=event_weights,
        hidden=HIDDEN,
    )


def batch_model(interactions: Interactions, ends: npt.NDArray[np.int64]) -> ModelConfig:
    """Return the encoders' shape for the clicks ``starts[u] : ends[u]`` of every user u.

    Histories are read as far back as nineteen in twenty users go, within limits; where items are
    seldom clicked, vectors are short and dropout is high.
    """
    lengths = (ends - interactions.starts[:-1]).astype(float)
    usual = float(np.quantile(lengths, 0.95)) if len(lengths) else 0.0
    sparse = lengths.sum() < SPARSE_CLICKS * interactions.item_count
    return replace(
        ModelConfig(),
        half_lives=UNDYING,
        dimension=64 if sparse else 128,
        blocks=2,
        heads=2,
        history_length=int(np.clip(np.ceil(usual), SHORTEST_HISTORY, LONGEST_HISTORY)),
        graph_encoder=False,
        dropout=0.5 if sparse else 0.2,
        first_weights=FIRST_WEIGHTS,
    )
