"""Rules of edges for baselines: each click brings its own weights, and rows are long."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.rules import EdgeRules

ROW_SLOTS: Final = 512
"""Neighbours of a full row: four times those of the state's, so that no rival loses by trimming."""

EDGES_AT_ONCE: Final = 16
"""Times what a click may need that the edges grow by at least."""


def long_row_rules(half_lives: npt.NDArray[np.float64], edges_per_click: int = 0) -> EdgeRules:
    """Return the rules at `half_lives`, float64 [H], with room for so many edges of a click."""
    return EdgeRules(
        weights=np.zeros(0),
        half_lives=half_lives,
        row_slots=ROW_SLOTS,
        kept_per_scale=max(1, (ROW_SLOTS - 1) // len(half_lives)),
        room_per_click=edges_per_click * ROW_SLOTS,
    )
