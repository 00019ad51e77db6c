"""Options of a replay, and which learning loops they ask for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.offline.click_history import ClickHistoryOptions
from consumers.offline.encoder_packages import check_encoder_packages
from consumers.offline.replay.contender import ContenderOptions
from consumers.offline.replay.retraining.plan import RetrainingOptions
from consumers.offline.replay.rivals import FROZEN, RETRAINED, BaselineSelection
from gsr.loop.baseline_choice import JOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions(ClickHistoryOptions):
    """Events to replay, and how; settings of processes are not used.

    Parameters
    ----------
    out
        Directory for `metrics.json`, `report.html` and the recommendations; made if missing.
    warmup
        Share of the stream that is learned before scoring begins, 0 to 1.
    repeats
        "exclude": clicks on items in the user's buffer are not scored, and those items are left
        out of the ranking; "include": all clicks with an earlier one are, among all items.
    seed
        Of everything random.
    recommendations
        "final": the lists, at the end, of the 10,000 users whose clicks are newest; "all": after
        each cycle the lists of the users who clicked in it, as the publisher would have sent them
        (large, and about twice as slow); "none".
    baselines
        Which are measured, and where their half-lives are chosen.
    resume
        Go on where a replay of the same events and options stopped, in `out`.
    compare
        Name to settings of other configurations that learn beside, on the same reading.
    retraining
        How often the baseline `retrained` is learned anew, where it is measured.
    judged
        The events come from a topic: their times were judged by their append times.
    """

    out: Path
    warmup: float = 0.1
    repeats: Literal["exclude", "include"] = "exclude"
    seed: int = 0
    recommendations: Literal["none", "final", "all"] = "final"
    baselines: BaselineSelection = field(default_factory=BaselineSelection)
    compare: Mapping[str, GsrConfig] = field(default_factory=dict)
    retraining: RetrainingOptions = field(default_factory=RetrainingOptions)
    judged: bool = False
    resume: bool = False

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        ConfigError
            Says which option, and what to give.
        MissingExtraError
            A baseline needs packages that are not installed.
        """
        if not 0.0 <= self.warmup < 1.0:
            raise ConfigError(f"warmup is {self.warmup}: give a share from 0 up to, not with, 1")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit is {self.limit}: give 1 or more, or leave it out")
        if self.resume and self.recommendations == "all":
            raise ConfigError(
                "a replay that writes all lists cannot go on where it stopped: leave --resume out"
            )
        self.retraining.check()
        if RETRAINED in self.baselines.names:
            check_encoder_packages(f"the baseline {RETRAINED}")
        if self.cycle_clicks < 1:
            raise ConfigError(f"cycle_clicks is {self.cycle_clicks}: give 1 or more")

    def identity(self) -> dict[str, Any]:
        """Return what of the options decides the outcome, as JSON values."""
        return {
            "warmup": self.warmup,
            "repeats": self.repeats,
            "seed": self.seed,
            "limit": self.limit,
            "cycle_clicks": self.cycle_clicks,
            "baselines": self.baselines.names,
            "retraining": asdict(self.retraining),
            "config": self.config.model_dump(mode="json"),
            "compare": {name: one.model_dump(mode="json") for name, one in self.compare.items()},
        }

    def contenders(self, window_seconds: float) -> list[ContenderOptions]:
        """Return those that learn from the stream: the joint model first, its frozen self last."""
        joint = ContenderOptions(
            name=JOINT,
            config=self.config,
            seed=self.seed,
            mask_seen=self.repeats == "exclude",
            window_seconds=window_seconds,
            watched=True,
        )
        compared = [
            # A seed of its own counts: two seeds of one configuration can be compared.
            replace(
                joint,
                name=name,
                config=config,
                seed=config.learner.seed or self.seed,
                watched=False,
            )
            for name, config in self.compare.items()
        ]
        frozen = replace(joint, name=FROZEN, learns_until="warmup", watched=False)
        return [joint, *compared, *([frozen] if FROZEN in self.baselines.names else [])]
