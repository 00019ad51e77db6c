"""Settings `[events]`: what a click may be."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from consumers.config.sections.section import NotNegative, PositiveOrOff, Section
from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS, MAX_EVENT_NAMES
from stream.events.clicks.rules import EventRules


class EventsSection(Section):
    """What makes a click acceptable, and what it is worth.

    Parameters
    ----------
    weights
        Event name to weight. Positive: learned from. 0: only marks the item as seen. Negative:
        only hides the item. Append new names at the end; state refuses inserted or removed ones.
    default_event
        The name of a click that names none; one of the above.
    future_tolerance_seconds
        How far a click may lie past its append time before it is refused.
    max_age_seconds
        How far a click may lie behind its append time; "off": any age.
    """

    weights: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=lambda: dict(DEFAULT_EVENT_WEIGHTS),
        min_length=1,
        max_length=MAX_EVENT_NAMES,
    )
    default_event: str = "click"
    future_tolerance_seconds: NotNegative = 300.0
    max_age_seconds: PositiveOrOff = None

    @model_validator(mode="after")
    def _default_is_known(self) -> Self:
        if self.default_event not in self.weights:
            names = ", ".join(self.weights)
            raise ValueError(f"default_event must be one of the events in weights ({names})")
        return self

    def rules(self) -> EventRules:
        """Return the section as the codec wants it."""
        return EventRules(**self.model_dump())
