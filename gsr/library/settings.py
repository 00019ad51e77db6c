"""Settings of a recommender that a program holds."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gsr.counters.config import CounterConfig
from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS, MAX_EVENT_NAMES
from gsr.limits import Limits, check_limits
from gsr.ranker.config import RankerConfig, RankerLearning
from gsr.stored_config import config_as_json, config_from_json

_PARTS: Final = {"counters": CounterConfig, "model": RankerConfig, "learning": RankerLearning}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Settings of a `StreamRecommender`; the defaults are those of the service.

    Parameters
    ----------
    event_weights
        Event name to weight. Positive: learned from. Zero: only marks the item as seen. Negative:
        only hides the item.
    default_event
        The name of a click that names none.
    allow_repeats
        Whether lists may hold items that the user has seen.
    cycle_clicks
        So many clicks are tested and learned together.
    counters
        What is counted, and how much of it is kept.
    model
        Shape of the model. Its time scales and event weights are not read: they follow `counters`
        and `event_weights`.
    learning
        How it learns; also the seed of everything random.
    max_users, max_user_bytes
        Users who are remembered, and the memory that they may take, roughly; past either, a
        sixteenth is forgotten, those whose last click came longest ago.
    threads
        Of matrix products, which are small: more threads mostly spin.

    Raises
    ------
    ValueError
        A setting makes no sense; says which.

    Examples
    --------
    >>> StreamSettings(default_event="play")
    Traceback (most recent call last):
    ...
    ValueError: default_event is 'play', which event_weights does not list: add it there
    """

    event_weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_EVENT_WEIGHTS))
    default_event: str = "click"
    allow_repeats: bool = False
    cycle_clicks: int = 200
    counters: CounterConfig = field(default_factory=CounterConfig)
    model: RankerConfig = field(default_factory=RankerConfig)
    learning: RankerLearning = field(default_factory=RankerLearning)
    max_users: int = 1_000_000
    max_user_bytes: int = 2**30
    threads: int = 1

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        if not 1 <= len(self.event_weights) <= MAX_EVENT_NAMES or "" in self.event_weights:
            raise ValueError(
                f"event_weights needs 1 to {MAX_EVENT_NAMES} names, none of them empty"
            )
        for name, weight in self.event_weights.items():
            if not math.isfinite(weight):
                raise ValueError(f"event_weights[{name!r}] is {weight}: give a finite number")
        if self.default_event not in self.event_weights:
            raise ValueError(
                f"default_event is {self.default_event!r}, which event_weights does not list: add "
                "it there"
            )

    @property
    def ranker(self) -> RankerConfig:
        """The model's shape with the time scales and event weights that it follows."""
        return dataclasses.replace(
            self.model,
            half_lives=self.counters.half_lives,
            close_half_lives=self.counters.close_half_lives,
            event_weights=tuple(self.event_weights.values()),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, which `from_json` reads."""
        plain = {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name not in _PARTS
        }
        parts = {name: config_as_json(getattr(self, name)) for name in _PARTS}
        # A list of pairs: the order of events is their codes.
        return {**plain, **parts, "event_weights": [list(p) for p in self.event_weights.items()]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "StreamSettings":
        """Return the settings of which `to_json` made values.

        Raises
        ------
        SnapshotError
            There are other settings, or values that none takes.
        """
        parts: dict[str, Any] = {
            name: config_from_json(kind, values.get(name, {})) for name, kind in _PARTS.items()
        }
        pairs = values.get("event_weights", [])
        weights = {str(name): float(weight) for name, weight in pairs}
        return config_from_json(cls, {**values, **parts, "event_weights": weights})


_LIMITS: Final[Limits] = {
    "cycle_clicks": (1, 1_000_000),
    "max_users": (16, 2**31),
    "max_user_bytes": (2**20, 2**50),
    "threads": (1, 1024),
}
