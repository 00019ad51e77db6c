"""Settings of the ranker and of how it learns on the stream."""

from dataclasses import dataclass
from typing import Final

from gsr.limits import MOST_SEED, Limits, check_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerConfig:
    """Shape of the ranker; a snapshot remembers it and refuses another.

    Parameters
    ----------
    half_lives, close_half_lives
        Time scales of the graph and popularity, and of what is clicked close by, in seconds, as in
        the state (S and C of them).
    event_weights
        Weight of each event code; only clicks with a positive one are read.
    listed
        Candidates of every channel of votes, and of popularity on every time scale.
    kept
        Candidates that the linear score leaves to the network.
    hidden
        Units of each of the network's two hidden layers.
    vectors, dimension
        Whether learned vectors give features, and numbers of a vector (d).
    history_length
        How many of a user's newest clicks vote, and are read by the user's vector.
    without
        Groups of features that are switched off (see `gsr.ranker.features.GROUPS`).
    new_item_boost
        How many hits on other items a hit on a new one is worth. New items are seldom clicked, so
        lists by likelihood alone (1) hold few of them. Lists and their quality know this setting,
        learning does not, so it may be changed at any time.

    Raises
    ------
    ValueError
        A number is outside of its limits.
    """

    half_lives: tuple[float, ...] = (600.0, 86_400.0, 2_592_000.0, 31_536_000.0)
    close_half_lives: tuple[float, ...] = ()
    event_weights: tuple[float, ...] = (1.0, 1.0, 2.0, 3.0, 0.0, -1.0)
    listed: int = 100
    kept: int = 100
    hidden: int = 48
    vectors: bool = True
    dimension: int = 64
    history_length: int = 32
    without: tuple[str, ...] = ()
    new_item_boost: float = 1.0

    def __post_init__(self) -> None:
        check_limits(self, _SHAPE_LIMITS)

    @property
    def scales(self) -> int:
        """Number of time scales (S)."""
        return len(self.half_lives)


UNLEARNED: Final = frozenset({"new_item_boost"})
"""Fields of `RankerConfig` that no weight depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerLearning:
    """How the ranker learns; may change between runs.

    Parameters
    ----------
    block
        Clicks that are learned together, at most.
    step
        Clicks of one step of the optimiser.
    candidates
        Candidates that a click is learned with: the clicked one, the best ones, and some others
        that stand for the rest.
    replay, replay_blocks
        Earlier blocks that are learned with each new one, on average, and how many are kept to
        choose from: a block of 200 clicks takes about a quarter of a MiB.
    network_rate, encoder_rate, vector_rate, linear_rate
        Adam's steps for the network, the user encoder, the items' vectors, and the linear score
        that chooses candidates, and ranks those of users without clicks.
    averaging
        What the network's served weights, an average of those that learn, keep of themselves in
        each step; 0: the newest ones are served.
    end_to_end
        Whether the ranker's loss teaches the vectors too, or their own softmax alone does.
    sampled
        Items that stand for the catalogue in one step of the vectors' own softmax.
    holdout
        Share of users whose fresh clicks the judge sees before they are learned.
    worse_z
        The judge drops new weights that are worse than the old by this many standard errors.
    seed
        Of first weights and all draws.
    """

    block: int = 200
    step: int = 50
    candidates: int = 24
    replay: float = 0.5
    replay_blocks: int = 32
    network_rate: float = 0.006
    encoder_rate: float = 0.001
    vector_rate: float = 0.01
    linear_rate: float = 0.03
    averaging: float = 0.995
    end_to_end: bool = True
    sampled: int = 1024
    holdout: float = 0.05
    worse_z: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_limits(self, _LEARNING_LIMITS)


_RATE: Final = (0.0, 1e3)
_SHAPE_LIMITS: Final[Limits] = {
    "listed": (1, 1000),
    "kept": (1, 2000),
    "hidden": (1, 4096),
    "dimension": (1, 4096),
    "history_length": (1, 4096),
    "new_item_boost": (1e-6, 1e6),
}
_LEARNING_LIMITS: Final[Limits] = {
    "block": (1, 100_000),
    "step": (1, 100_000),
    "candidates": (2, 2000),
    "replay": (0.0, 100.0),
    "replay_blocks": (0, 10_000),
    "network_rate": _RATE,
    "encoder_rate": _RATE,
    "vector_rate": _RATE,
    "linear_rate": _RATE,
    "averaging": (0.0, 0.999999),
    "sampled": (2, 1_000_000),
    "holdout": (0.0, 1.0),
    "worse_z": (-1e6, 1e6),
    "seed": (0, MOST_SEED),
}
