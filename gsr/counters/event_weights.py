"""What events are worth: their names in order, each with a weight."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Code 255 marks forget rows in the accepted feed.
MAX_EVENT_NAMES: Final = 255

DEFAULT_EVENT_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"click": 1.0, "view": 1.0, "cart": 2.0, "purchase": 3.0, "seen": 0.0, "hide": -1.0}
)
"""Positive: learned from. Zero: only marks the item as seen. Negative: only hides the item."""
