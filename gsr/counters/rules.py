"""Settings as kernels take them, made once from the configuration."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.arena import block_size
from gsr.counters.config import CounterConfig

EXPIRY_STEPS: Final = 16
"""Per lifetime of items, and the share of `max_items` that leaves at once."""

NO_SCALES: Final = np.zeros(0)
"""The time scales of close clicks where these are not counted, float64 [0]."""

_EVENT_CODES: Final = 256


class BufferRules(NamedTuple):
    """How clicks enter buffers; what is None in the configuration is infinite or zero here.

    Parameters
    ----------
    weights
        float64 [256], what each event code is worth.
    window
        float64 [W].
    session_gap, user_ttl
        Seconds; infinite: none.
    item_step
        Seconds of the watermark between two looks for expired items; 0: none.
    max_items, seen_items
        Caps.
    largest_block
        Slots that one click may need in the arena of seen filters.
    buffer_length
        Clicks of a full buffer (L).
    close_clicks
        How many clicks apart two close clicks are at most; 0: nobody asks.
    """

    weights: npt.NDArray[np.float64]
    window: npt.NDArray[np.float64]
    session_gap: float
    user_ttl: float
    item_step: float
    max_items: int
    seen_items: int
    largest_block: int
    buffer_length: int
    close_clicks: int


class EdgeRules(NamedTuple):
    """How edges and popularity are added.

    Parameters
    ----------
    weights
        float64 [256], what each event code is worth.
    half_lives
        float64 [S], seconds.
    row_slots
        Slots of a full row.
    kept_per_scale
        Neighbours that each scale keeps of a full row.
    room_per_click
        Slots that one click may need in the arena.
    close_half_lives
        float64 [C], seconds: the time scales on which close clicks are counted.
    """

    weights: npt.NDArray[np.float64]
    half_lives: npt.NDArray[np.float64]
    row_slots: int
    kept_per_scale: int
    room_per_click: int
    close_half_lives: npt.NDArray[np.float64] = NO_SCALES


def buffer_rules(config: CounterConfig, weights: npt.NDArray[np.float64]) -> BufferRules:
    """Return the rules of buffers; `weights` is float64 [event names]."""
    item_ttl = config.item_ttl_seconds
    return BufferRules(
        weights=_by_code(weights),
        window=np.array(config.window_weights, dtype=np.float64),
        session_gap=or_infinite(config.session_gap_seconds),
        user_ttl=or_infinite(config.user_ttl_seconds),
        item_step=0.0 if item_ttl is None else item_ttl / EXPIRY_STEPS,
        max_items=config.max_items,
        seen_items=config.seen_items,
        largest_block=2 * block_size(max(1, config.seen_items)),
        buffer_length=config.buffer_length,
        close_clicks=config.close_clicks,
    )


def edge_rules(config: CounterConfig, weights: npt.NDArray[np.float64]) -> EdgeRules:
    """Return the rules of edges; `weights` is float64 [event names]."""
    touched_rows = 2 * max(len(config.window_weights), 2 * config.close_clicks)
    return EdgeRules(
        weights=_by_code(weights),
        half_lives=np.array(config.half_lives, dtype=np.float64),
        row_slots=config.row_slots,
        kept_per_scale=config.kept_per_scale,
        room_per_click=touched_rows * 2 * block_size(config.row_slots),
        close_half_lives=np.array(config.close_half_lives, dtype=np.float64),
    )


def or_infinite(seconds: float | None) -> float:
    """Return a limit that nothing passes in place of None."""
    return math.inf if seconds is None else seconds


def _by_code(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a weight for every code that a byte holds: unknown events are worth nothing."""
    padded = np.zeros(_EVENT_CODES)
    padded[: len(weights)] = weights
    return padded
