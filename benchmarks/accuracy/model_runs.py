"""Evaluations of our own model that `benchmarks.accuracy.everything` runs.

Flags are those of `gsr evaluate`. To measure something else, change the tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

THREADS: Final = 1
"""The networks are small: two evaluations side by side do more than two threads for one."""

JOINT: Final = "joint"
SEQUENCE: Final = "sequence-alone"
VIEWS: Final[Mapping[str, str]] = {
    JOINT: "",
    SEQUENCE: "--model graph_channels=false --model popularity_channels=false",
    "graph-alone": "--model sequence_encoder=false",
}
"""The whole model, and either of its views alone."""

JOINT_RUN: Final = f"leave-one-out/{JOINT}"
"""Setting and name of the run whose encoders others borrow."""

WHOLE: Final = "one-encoder"
ONE_ENCODER: Final = "--model ensemble=1 --model dimension=64"
"""What ablations are compared with: the joint model with one encoder in place of an ensemble, for
which twelve minutes are enough."""

ENSEMBLE: Final = "ensemble"
"""The joint model once more, beside its ablations."""

SAME_ENCODERS: Final[Mapping[str, str]] = {
    SEQUENCE: VIEWS[SEQUENCE],
    "no-graph-channels": "--model graph_channels=false",
    "no-popularity-channels": "--model popularity_channels=false",
    "no-context-weights": "--model context_weights=false",
    "no-source-power": "--learner source_power=0",
    "next-click-only": "--learner window_weights=[1.0]",
    "newest-click-only": "--model channel_history=1",
    "undying-popularity": "--learner recent_half_life=1e12",
}
"""What is left out or done otherwise, beside an encoder that it does not concern."""

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
"""The same for what needs an encoder of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One evaluation.

    Parameters
    ----------
    data
        Short name of the data set.
    setting
        Of `benchmarks.accuracy.experiments.SETTINGS`.
    name
        Of what is evaluated.
    flags
        What differs from the defaults.
    minutes
        Of processor time to learn one model.
    seeds
        How many models.
    borrows
        Setting and name of the run on the same data whose encoders it takes; empty: none.
    """

    data: str
    setting: str
    name: str
    flags: str
    minutes: int
    seeds: int = 1
    borrows: str = ""

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
    yield from _ablations("beauty", minutes=12)


def _views(data: str, *, minutes: int, seeds: int) -> Iterator[Run]:
    for name, flags in VIEWS.items():
        yield Run(
            data=data,
            setting="leave-one-out",
            name=name,
            flags=flags,
            minutes=minutes,
            seeds=seeds,
            borrows=JOINT_RUN if name == SEQUENCE else "",
        )


def _ablations(data: str, *, minutes: int) -> Iterator[Run]:
    run = partial(Run, data=data, setting="ablations", minutes=minutes)
    yield run(name=WHOLE, flags=ONE_ENCODER, seeds=3)
    yield run(name=ENSEMBLE, flags=VIEWS[JOINT], seeds=3, borrows=JOINT_RUN)
    for name, flags in SAME_ENCODERS.items():
        words = f"{ONE_ENCODER} {flags}"
        yield run(name=name, flags=words, seeds=3, borrows=f"ablations/{WHOLE}")
    for name, flags in OTHER_ENCODERS.items():
        yield run(name=name, flags=f"{ONE_ENCODER} {flags}")
