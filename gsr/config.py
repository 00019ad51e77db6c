"""Settings of the joint model of a fixed set of clicks. Imports no torch."""

from dataclasses import dataclass
from typing import Final

from gsr.limits import Limits, check_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of the joint model; a snapshot remembers it and refuses another.

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
        vectors' numbers, d / ensemble of them; their scores add up. A fixed set of clicks teaches
        each by itself, the stream all as one.
    graph_encoder, hops, fanout
        Propagation over the item graph: on or off, rounds, heaviest neighbours per item.
    popularity_channels, graph_channels
        The direct channels: log popularity, and the graph's own next-item score.
    channel_history, channel_decay
        How many of the newest clicks (m) vote in the history channels, and the factor by which
        each step back counts less.
    new_item_boost
        How many hits on other items a hit on a new one is worth (see `gsr.votes.channels`). New
        items are seldom clicked, so lists by likelihood alone (1) hold few of them. Lists and their
        quality know this setting, learning does not, so it may be changed at any time.
    context_weights, context_width
        Channel weights from a small network over the context (hidden width), or, if off, learned
        constants.
    context_sees_user
        Whether that network also reads the user vector.
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
        A number is outside of its limits, `new_item_boost` is not above 0, `score_scale` is below
        0, or `dimension` cannot be shared out evenly among the attention heads of the ensemble.
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
    popularity_channels: bool = True
    graph_channels: bool = True
    channel_history: int = 32
    channel_decay: float = 0.95
    new_item_boost: float = 4.0
    context_weights: bool = True
    context_width: int = 32
    context_sees_user: bool = True
    time_gaps: bool = True
    dropout: float = 0.1
    first_weights: float = 0.0
    score_scale: float = 0.0

    def __post_init__(self) -> None:
        check_limits(self, _MODEL_LIMITS)
        if not 0.0 < self.new_item_boost < float("inf"):
            raise ValueError(f"new_item_boost is {self.new_item_boost}: give a number above 0")
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


UNLEARNED: Final = frozenset({"new_item_boost"})
"""Fields of `ModelConfig` that no weight depends on."""

TRUST_SETTINGS: Final = frozenset(
    {
        *("popularity_channels", "graph_channels", "channel_history", "channel_decay"),
        *("new_item_boost", "context_weights", "context_width", "context_sees_user"),
    }
)
"""Fields of `ModelConfig` that say what stands beside the user vector, and how far either is
trusted. Where the ranker does that, as in an evaluation, they change nothing."""

RANKING_SETTINGS: Final = frozenset({"nearest", "ranking_passes"})
"""Fields of `BatchConfig` on which the encoders do not depend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustConfig:
    """How the weights of live channels are learned (`gsr.learning.recorded_trust`).

    Parameters
    ----------
    rate, passes, slowing, batch
        Adam's step, passes over the clicks that teach the weights, the factor on the step after
        each pass, and clicks per step.
    """

    rate: float = 2e-2
    passes: int = 12
    slowing: float = 0.8
    batch: int = 256

    def __post_init__(self) -> None:
        check_limits(self, _TRUST_LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingConfig:
    """What clicks of a stream are compared with, where they are recorded to learn trust from.

    Parameters
    ----------
    negatives, neighbour_negatives
        Candidates per click beside its target: shared ones drawn per chunk, and the user's own
        heaviest graph neighbours.
    uniform_share
        Share of the shared ones that is drawn uniformly over the catalogue; the rest by popularity.
    seed
        Of the draws.
    """

    negatives: int = 256
    neighbour_negatives: int = 32
    uniform_share: float = 0.3
    seed: int = 0


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
    "channel_history": (1, 65_536),
    "channel_decay": _RATE,
    "context_width": (1, 16_384),
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
_TRUST_LIMITS: Final[Limits] = {
    "rate": _RATE,
    "passes": (0, 100_000),
    "slowing": _RATE,
    "batch": (1, 1_000_000),
}
