"""What `benchmarks.accuracy.everything` evaluates of our own model.

Flags are those of `gsr evaluate`. To measure something else, change the tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

THREADS: Final = 1
"""The networks are small: two pieces side by side do more than two threads for one."""

JOINT: Final = "joint"
SEQUENCE: Final = "sequence-alone"
VIEWS: Final[Mapping[str, str]] = {
    JOINT: "",
    SEQUENCE: "--model graph_channels=false --model popularity_channels=false",
    "graph-alone": "--model sequence_encoder=false",
}
"""The whole model, and either of its views alone."""

WHOLE: Final = "as-it-is"
SAME_ENCODERS: Final[Mapping[str, str]] = {
    WHOLE: "",
    "no-graph-channels": "--model graph_channels=false",
    "no-popularity-channels": "--model popularity_channels=false",
    "no-context-weights": "--model context_weights=false",
    "no-source-power": "--learner source_power=0",
    "next-click-only": "--learner window_weights=[1.0]",
    "newest-click-only": "--model channel_history=1",
    "undying-popularity": "--learner recent_half_life=1e12",
}
"""What is left out or done otherwise, beside encoders that it does not concern."""

OTHER_ENCODERS: Final[Mapping[str, str]] = {
    "cosines": "--model score_scale=10",
    "full-softmax": "--learner sampled_items=1000000",
    "no-time-gaps": "--model time_gaps=false",
    "no-weight-average": "--learner average_decay=0",
    "one-block": "--model blocks=1",
    "twice-as-wide": "--model dimension=128",
    "larger-first-weights": "--model first_weights=0",
    "less-dropout": "--model dropout=0.2",
}
"""The same for what needs encoders of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One evaluation.

    Parameters
    ----------
    data
        Short name of the data set.
    setting
        Of `benchmarks.accuracy.pieces.SETTINGS`.
    name
        Of what is evaluated.
    flags
        What differs from the defaults.
    minutes
        Of processor time to learn one model.
    seeds
        How many models.
    borrows
        Whether its encoders are those of the joint model's leave-one-out run.
    """

    data: str
    setting: str
    name: str
    flags: str
    minutes: int
    seeds: int = 1
    borrows: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Arguments of `gsr evaluate` beside events, protocol and folders."""
        budget = ("--seeds", str(self.seeds), "--minutes", str(self.minutes))
        return *budget, "--threads", str(THREADS), *self.flags.split()


def runs() -> Iterator[Run]:
    """Yield what is evaluated, what matters most first."""
    yield from _views("beauty", minutes=45, seeds=3)
    for setting in ("shuffled-ties", "temporal"):
        yield Run(data="beauty", setting=setting, name=JOINT, flags=VIEWS[JOINT], minutes=45)
    yield from _views("ml-1m", minutes=120, seeds=1)
    for name, flags in SAME_ENCODERS.items():
        yield Run(
            data="beauty",
            setting="ablations",
            name=name,
            flags=flags,
            minutes=12,
            seeds=3,
            borrows=True,
        )
    for name, flags in OTHER_ENCODERS.items():
        yield Run(data="beauty", setting="ablations", name=name, flags=flags, minutes=12)


def _views(data: str, *, minutes: int, seeds: int) -> Iterator[Run]:
    for name, flags in VIEWS.items():
        yield Run(
            data=data,
            setting="leave-one-out",
            name=name,
            flags=flags,
            minutes=minutes,
            seeds=seeds,
            borrows=name == SEQUENCE,
        )
