"""Settings of the encoders of a fixed set of clicks, and of their learning. Imports no torch."""

from dataclasses import dataclass
from typing import Final

from gsr.limits import Limits, check_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of the encoders; a snapshot remembers it.

    Parameters
    ----------
    dimension
        Width d of item and user vectors.
    half_lives
        Time scales of the graph and of popularity in seconds, as in the state (S of them).
    event_weights
        Weight of each event code; only clicks with a positive one are read by the encoders.
    history_length
        How many of a user's newest clicks the encoders read (n).
    sequence_encoder, blocks, heads
        The causal transformer over the clicks: on or off, depth, attention heads.
    ensemble
        How many such transformers there are. Each reads and is compared with its own share of the
        vectors' numbers, d / ensemble of them; their scores add up. Each learns by itself.
    graph_encoder, hops, fanout
        Propagation over the item graph: on or off, rounds, heaviest neighbours per item.
    time_gaps
        Whether the sequence encoder knows the pauses between clicks.
    dropout
        Share of activations dropped in learning.
    first_weights
        Standard deviation of the encoders' first weights; 0: one over the root of their inputs.
    score_scale
        User and item vectors are compared by their cosine times this, which keeps rare items from
        being learned by heart; 0 compares them by inner product.

    Raises
    ------
    ValueError
        A number is outside of its limits, `score_scale` is below 0, or `dimension` cannot be shared
        out evenly among the attention heads of the ensemble.
    """

    dimension: int = 64
    half_lives: tuple[float, ...] = (600.0, 86_400.0, 2_592_000.0, 31_536_000.0)
    event_weights: tuple[float, ...] = (1.0, 1.0, 2.0, 3.0, 0.0, -1.0)
    history_length: int = 32
    sequence_encoder: bool = True
    blocks: int = 1
    heads: int = 2
    ensemble: int = 1
    graph_encoder: bool = True
    hops: int = 1
    fanout: int = 16
    time_gaps: bool = True
    dropout: float = 0.1
    first_weights: float = 0.0
    score_scale: float = 0.0

    def __post_init__(self) -> None:
        check_limits(self, _MODEL_LIMITS)
        if not 0.0 <= self.score_scale < float("inf"):
            raise ValueError(f"score_scale is {self.score_scale}: give 0 or a number above it")
        if min(self.ensemble, self.heads) < 1 or self.dimension % (self.ensemble * self.heads):
            raise ValueError(
                f"dimension is {self.dimension}: give a multiple of ensemble times heads "
                f"({self.ensemble} times {self.heads}), which are both 1 or more"
            )

    @property
    def scales(self) -> int:
        """Number of time scales (S)."""
        return len(self.half_lives)


RANKING_SETTINGS: Final = frozenset({"nearest", "ranking_passes"})
"""Fields of `BatchConfig` on which the encoders do not depend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """Settings of learning a fixed set of clicks over and over (`gsr.learning.batch_learner`).

    Parameters
    ----------
    learning_rate, embedding_rate
        Adam's steps for the networks and for the item rows.
    weight_decay
        Decoupled decay of the networks' weights.
    warm_up_steps
        Steps over which the rates rise from 0.
    batch_positions
        Positions to predict per step, roughly.
    average_decay
        Of the running average of all weights, which is what ranks; 0 ranks with the last weights.
    sampled_items
        How many items, all targets of a step among them, stand for the catalogue in the encoders'
        softmax; where there are no more, every item does.
    window_weights
        Weight of the edge between a click and the next, the one after, and so on, in the graph
        that the graph encoder reads.
    gradient_norm
        Clip of the global gradient norm of the networks.
    nearest
        Items nearest to a user's vector that the ranker chooses among, beside those that the
        counters find.
    ranking_passes
        Passes of the ranker over the clicks that teach it.
    """

    learning_rate: float = 1e-3
    embedding_rate: float = 1e-3
    weight_decay: float = 0.0
    warm_up_steps: int = 100
    batch_positions: int = 2048
    average_decay: float = 0.999
    sampled_items: int = 2560
    window_weights: tuple[float, ...] = (1.0, 0.5, 1.0 / 3.0)
    gradient_norm: float = 5.0
    nearest: int = 100
    ranking_passes: int = 6

    def __post_init__(self) -> None:
        check_limits(self, _BATCH_LIMITS)


_SHARE: Final = (0.0, 1.0)
_RATE: Final = (0.0, 1e3)
_MODEL_LIMITS: Final[Limits] = {
    "dimension": (1, 16_384),
    "history_length": (1, 65_536),
    "blocks": (1, 64),
    "hops": (0, 16),
    "fanout": (1, 4096),
    "dropout": (0.0, 0.99),
    "first_weights": _RATE,
}
_BATCH_LIMITS: Final[Limits] = {
    "learning_rate": _RATE,
    "embedding_rate": _RATE,
    "weight_decay": _RATE,
    "warm_up_steps": (0, 1e9),
    "batch_positions": (1, 1e8),
    "average_decay": _SHARE,
    "sampled_items": (1, 1e9),
    "gradient_norm": (1e-9, 1e9),
    "nearest": (1, 1000),
    "ranking_passes": (0, 100_000),
}
