"""What a replay's document says of differences: how large they may be, and which are sure."""

from collections.abc import Mapping
from typing import Any, Final

HEADLINE: Final = "hr@20"
SURE: Final = 0.05
"""A difference counts as real below this corrected p-value."""


def headline(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the joint model's tested difference to the strongest rival; None without one."""
    for one in document["differences"]["overall"]:
        if one["model"] == "joint" and one["metric"] == HEADLINE:
            return dict(one)
    return None


def sides(difference: Mapping[str, Any]) -> int:
    """Return 1 or -1 where a model is surely better or worse than its rival, else 0.

    Sure is what holds for other users and for other times, as far as either can be told.
    """
    found = [difference[kind] for kind in ("users", "windows") if difference[kind] is not None]
    if not found or any(one["p_corrected"] >= SURE for one in found):
        return 0
    if any(one["low"] <= 0.0 <= one["high"] for one in found):
        return 0
    return 1 if difference["difference"] > 0.0 else -1


def widest(difference: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the ends that hold both intervals; None where there is none."""
    found = [difference[kind] for kind in ("users", "windows") if difference[kind] is not None]
    if not found:
        return None
    return min(one["low"] for one in found), max(one["high"] for one in found)
