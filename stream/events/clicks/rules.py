"""Rules that a click must keep: event names with their weights, limits of size and time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS, MAX_EVENT_NAMES

MAX_RECORD_BYTES: Final = 16 * 1024
MAX_LIST_POSITION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Limits of acceptable clicks, and the weights of event names.

    Parameters
    ----------
    weights
        Event name to weight, in order; the position in this order is the event's code. Positive:
        learned from. Zero: only marks the item as seen. Negative: only hides the item. New names
        may be appended, never inserted or removed, because state holds the codes.
    default_event
        The name of a click that names none.
    future_tolerance_seconds
        How far a click may lie past its append time.
    max_age_seconds
        How far a click may lie behind its append time; None: any age.

    Raises
    ------
    ValueError
        A setting contradicts another; the message names the configuration key.

    Examples
    --------
    >>> EventRules(weights={"click": 1.0, "hide": -1.0}).codes
    {'click': 0, 'hide': 1}
    """

    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_EVENT_WEIGHTS)
    default_event: str = "click"
    future_tolerance_seconds: float = 300.0
    max_age_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.weights) <= MAX_EVENT_NAMES:
            raise ValueError(
                f"events.weights has {len(self.weights)} names: give 1 to {MAX_EVENT_NAMES}"
            )
        if "" in self.weights:
            raise ValueError("events.weights holds an empty name: give it one, or remove it")
        for name, weight in self.weights.items():
            if not np.isfinite(weight):
                raise ValueError(f"events.weights.{name} is {weight}: give a finite number")
        if self.default_event not in self.weights:
            raise ValueError(
                f"events.default_event is {self.default_event!r}, which events.weights does not "
                "list: add it there, or name one of its events"
            )
        if not 0 <= self.future_tolerance_seconds < float("inf"):
            raise ValueError("events.future_tolerance_seconds must be a number from 0")
        if self.max_age_seconds is not None and not self.max_age_seconds > 0:
            raise ValueError("events.max_age_seconds must be above 0, or absent for any age")

    @property
    def codes(self) -> dict[str, int]:
        """Event name to code, its position in `weights`."""
        return {name: code for code, name in enumerate(self.weights)}

    @property
    def weight_by_code(self) -> npt.NDArray[np.float64]:
        """float64 [names], each code's weight."""
        return np.array(list(self.weights.values()), dtype=np.float64)
