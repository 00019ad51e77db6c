"""Settings `[state]`: place and shape of the durable state."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from consumers.config.sections.section import Count, Positive, PositiveOrOff, Section
from gsr.counters.config import CounterConfig


class StateSection(Section):
    """Where state lies, and its shape; changing the shape needs a rebuild of the state.

    Parameters
    ----------
    directory
        Where ingest keeps its databases, one per partition (and, by default, the artifacts).
    buffer_length
        Clicks kept per user, the newest by event time.
    seen_items
        Distinct items that a user's seen filter remembers after they left the buffer.
    neighbours
        Half of the neighbours that an item has at most. When it has no room for another, the
        heaviest on each time scale stay.
    half_lives_seconds
        The time scales of edge weights and popularity.
    window_weights
        Weight of the edge from the last, last but one, ... click of the user to a new one.
    close_clicks
        Two clicks of a user at most so many clicks apart are close: the graph counts their items
        as neighbours of each other, whichever came first; 0: not at all.
    close_half_lives_seconds
        The time scales of that count; without effect where `close_clicks` is 0.
    session_gap_seconds
        A longer pause between two clicks ends the window, and clicks across it are not close;
        "off": never.
    user_ttl_seconds, item_ttl_seconds
        A user or an item without clicks for this long expires; "off": never.
    max_items
        Items kept per partition; past it those clicked longest ago leave.
    feed_bytes
        Cap per partition of the accepted clicks that wait for the trainer.
    """

    directory: Path = Path("run/state")
    buffer_length: Annotated[int, Field(ge=2, le=1024)] = 64
    seen_items: Annotated[int, Field(ge=0, le=65_535)] = 1000
    neighbours: Annotated[int, Field(ge=2, le=1024)] = 128
    half_lives_seconds: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=8)] = (
        600.0,
        86_400.0,
        2_592_000.0,
        31_536_000.0,
    )
    window_weights: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=16)] = (
        1.0,
        1.0 / 2.0,
        1.0 / 3.0,
    )
    close_clicks: Annotated[int, Field(ge=0, le=16)] = 5
    close_half_lives_seconds: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=4)] = (
        86_400.0,
        31_536_000.0,
    )
    session_gap_seconds: PositiveOrOff = None
    user_ttl_seconds: PositiveOrOff = None
    item_ttl_seconds: PositiveOrOff = None
    max_items: Count = 1_000_000
    feed_bytes: Annotated[int, Field(ge=1_048_576)] = 268_435_456

    @model_validator(mode="after")
    def _has_a_shape(self) -> Self:
        self.shape()
        return self

    def shape(self) -> CounterConfig:
        """Return the section as the state store wants it."""
        renamed = {"half_lives_seconds", "close_half_lives_seconds"}
        return CounterConfig(
            **self.model_dump(exclude={"directory", *renamed}),
            half_lives=self.half_lives_seconds,
            close_half_lives=self.close_half_lives_seconds if self.close_clicks else (),
        )
