"""Test-then-train quality as the document that `metrics.json` holds."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from gsr.baselines.counters import KINDS
from gsr.loop.learning_loop import LearningLoop
from gsr.quality.prequential import NEW_USER_CLICKS, Prequential, Tally
from gsr.votes.constants import NEW_ITEM_CLICKS

BaselineChoice = Literal["best", "warmup"]

JOINT: Final = "joint"
BASELINES: Final = ("popularity", "graph")
CHOICE_METRIC: Final = "mrr@20"


def choose_baselines(loop: LearningLoop, choice: BaselineChoice = "best") -> dict[str, str]:
    """Return the name to show of each model, and the name of its column in the loop's quality.

    Parameters
    ----------
    loop
        Has measured.
    choice
        Half-life of each baseline: the "best" over the scored clicks themselves, which favours
        the baselines, or the best over the "warmup".
    """
    warmed = choice == "warmup" and loop.warmup_quality.overall.scored > 0
    quality = loop.warmup_quality if warmed else loop.quality
    shown = {JOINT: JOINT}
    for kind in BASELINES:
        shown[kind] = quality.best(_columns_of(loop, kind), CHOICE_METRIC)
    return shown


def quality_document(loop: LearningLoop, shown: Mapping[str, str]) -> dict[str, Any]:
    """Return overall quality, by slice and over time, with what the baselines were.

    Parameters
    ----------
    loop
        Has measured.
    shown
        See `choose_baselines`.
    """
    quality = loop.quality
    return {
        "overall": quality.means(quality.overall, shown),
        "slices": {
            name: {"scored": tally.scored, **quality.means(tally, shown)}
            for name, tally in quality.slices.items()
        },
        "slice_rules": {
            "new_users": f"fewer than {NEW_USER_CLICKS} earlier clicks in the buffer",
            "new_items": f"item with fewer than {NEW_ITEM_CLICKS} earlier clicks, of anybody",
        },
        "windows": [
            {
                "start": number * quality.window_seconds,
                "end": (number + 1) * quality.window_seconds,
                "scored": tally.scored,
                **quality.means(tally, shown),
            }
            for number, tally in sorted(quality.windows.items())
        ],
        "baselines": _baselines(loop, shown),
    }


def _columns_of(loop: LearningLoop, kind: str) -> list[str]:
    return [name for name in loop.baselines.names if name.startswith(f"{kind}@")]


def _baselines(loop: LearningLoop, shown: Mapping[str, str]) -> dict[str, Any]:
    """Return the half-lives, and every member of the grid, over scored clicks and warm-up."""
    document: dict[str, Any] = {
        "grid": _grid(loop.quality, loop.quality.overall, loop),
        "warmup_grid": _grid(loop.warmup_quality, loop.warmup_quality.overall, loop),
        "warmup_scored": loop.warmup_quality.overall.scored,
    }
    for kind in BASELINES:
        document[kind] = {
            "half_life_seconds": _half_life(shown[kind]),
            "best_on_warmup_half_life_seconds": _half_life(
                loop.warmup_quality.best(_columns_of(loop, kind), CHOICE_METRIC)
            ),
        }
    return document


def _grid(quality: Prequential, tally: Tally, loop: LearningLoop) -> dict[str, Any]:
    return {
        kind: {
            f"{_half_life(name):g}": tally.means(quality.models.index(name))
            for name in _columns_of(loop, kind)
        }
        for kind in KINDS
    }


def _half_life(name: str) -> float:
    return float(name.partition("@")[2])
