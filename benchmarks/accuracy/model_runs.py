"""Evaluations of our own model that `benchmarks.accuracy.everything` runs.

Flags are those of `gsr evaluate`. To measure something else, change the tables.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from gsr.ranker.features import GROUPS

THREADS: Final = 1
"""The networks are small: two evaluations side by side do more than two threads for one."""

VOTES: Final = ("last click", "history")
COSINES: Final = ("together",)
"""Groups of features that say what follows an item, and what is clicked close by."""


def without(*groups: str) -> str:
    """Return the flag that switches groups of counted features off."""
    return f"--ranker 'without={json.dumps(groups)}'"


JOINT: Final = "joint"
SEQUENCE: Final = "sequence-alone"
VIEWS: Final[Mapping[str, str]] = {
    JOINT: "",
    SEQUENCE: without(*GROUPS),
    "graph-alone": "--model sequence_encoder=false",
}
"""The whole model, and either of its views alone."""

JOINT_RUN: Final = f"leave-one-out/{JOINT}"
"""Setting and name of the run whose encoders others borrow."""

WHOLE: Final = "whole"
"""The joint model once more, beside its ablations, which are compared with it."""

ENSEMBLE: Final = "ensemble"
FOUR_ENCODERS: Final = "--model ensemble=4 --model dimension=256"
"""Another ablation: they need three to four times as long as one."""

SAME_ENCODERS: Final[Mapping[str, str]] = {
    SEQUENCE: VIEWS[SEQUENCE],
    "no-graph": without(*VOTES, *COSINES),
    "no-votes": without(*VOTES),
    "no-cosines": without(*COSINES),
    "no-popularity": without("popularity"),
    "no-times": without("last click on the item"),
    "newest-click-only": "--ranker history_length=1",
    "nothing-fades": "--ranker half_lives=[1e12] --ranker close_half_lives=[1e12]",
    "half-lives-of-the-stream": (
        "--ranker half_lives=[600,86400,2592000,31536000]"
        " --ranker close_half_lives=[86400,31536000]"
    ),
    "few-nearest-items": "--learner nearest=10",
}
"""What is left out or done otherwise, beside encoders that it does not concern."""

OTHER_ENCODERS: Final[Mapping[str, str]] = {
    "propagation": "--model graph_encoder=true",
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
        return *budget, "--threads", str(THREADS), *shlex.split(self.flags)


def runs() -> Iterator[Run]:
    """Yield what is evaluated, what matters most first."""
    yield from _views("beauty", minutes=12, seeds=3)
    for setting in ("shuffled-ties", "temporal"):
        yield Run(data="beauty", setting=setting, name=JOINT, flags=VIEWS[JOINT], minutes=12)
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
    run = partial(Run, data=data, setting="ablations")
    same = {WHOLE: VIEWS[JOINT], **SAME_ENCODERS}
    for name, flags in same.items():
        yield run(name=name, flags=flags, minutes=minutes, seeds=3, borrows=JOINT_RUN)
    for name, flags in OTHER_ENCODERS.items():
        yield run(name=name, flags=flags, minutes=minutes)
    yield run(name=ENSEMBLE, flags=FOUR_ENCODERS, minutes=45)
