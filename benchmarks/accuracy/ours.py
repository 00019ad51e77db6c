"""What `benchmarks.accuracy.everything` evaluates of our own model.

Flags are those of `gsr evaluate`. To measure something else, change the tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

THREADS: Final = 1
"""The networks are small: two pieces side by side do more than two threads for one."""

JOINT: Final = "joint"
VIEWS: Final[Mapping[str, str]] = {
    JOINT: "",
    "sequence-alone": "--model graph_channels=false --model popularity_channels=false",
    "graph-alone": "--model sequence_encoder=false",
}
"""The whole model, and either of its views alone."""

ABLATIONS: Final[Mapping[str, str]] = {
    "as-it-is": "",
    "no-graph-channels": "--model graph_channels=false",
    "no-popularity-channels": "--model popularity_channels=false",
    "no-sequence": "--model sequence_encoder=false",
    "cosines": "--model score_scale=10",
    "full-softmax": "--learner sampled_items=1000000",
    "no-time-gaps": "--model time_gaps=false",
    "no-context-weights": "--model context_weights=false",
    "no-weight-average": "--learner average_decay=0",
    "one-block": "--model blocks=1",
    "twice-as-wide": "--model dimension=128",
    "larger-first-weights": "--model first_weights=0",
    "no-source-power": "--learner source_power=0",
}
"""What is left out or done otherwise; the first, with everything, had the same time to learn."""


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
    """

    data: str
    setting: str
    name: str
    flags: str
    minutes: int
    seeds: int = 1

    @property
    def words(self) -> tuple[str, ...]:
        """Arguments of `gsr evaluate` beside events, protocol and folder."""
        budget = ("--seeds", str(self.seeds), "--minutes", str(self.minutes))
        return *budget, "--threads", str(THREADS), *self.flags.split()


def runs() -> Iterator[Run]:
    """Yield what is evaluated, what matters most first."""
    for name, flags in VIEWS.items():
        yield Run(
            data="beauty", setting="leave-one-out", name=name, flags=flags, minutes=45, seeds=3
        )
    for setting in ("shuffled-ties", "temporal"):
        yield Run(data="beauty", setting=setting, name=JOINT, flags=VIEWS[JOINT], minutes=45)
    for name, flags in VIEWS.items():
        yield Run(data="ml-1m", setting="leave-one-out", name=name, flags=flags, minutes=120)
    for name, flags in ABLATIONS.items():
        yield Run(data="beauty", setting="ablations", name=name, flags=flags, minutes=12)
