"""Which of a baseline's settings is shown, and how good every one of them was."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from gsr.baselines.column_names import column_settings, kind_of
from gsr.loop.learning_loop import LearningLoop
from gsr.quality.prequential import Prequential

BaselineChoice = Literal["best", "warmup"]

JOINT: Final = "joint"
CHOICE_METRIC: Final = "mrr@20"


def kinds_of(loop: LearningLoop) -> tuple[str, ...]:
    """Return the kinds of the loop's baselines."""
    return tuple(dict.fromkeys(kind_of(name) for name in loop.baselines.names))


def choose_baselines(
    loop: LearningLoop, choice: BaselineChoice = "best", kinds: Sequence[str] | None = None
) -> dict[str, str]:
    """Return the name to show of each model, and the name of its column in the loop's quality.

    Parameters
    ----------
    loop
        Has measured.
    choice
        Column of each kind of baselines: the "best" over the scored clicks themselves, which
        favours the baselines, or the best over the "warmup".
    kinds
        The baselines to show; None: all.
    """
    warmed = choice == "warmup" and loop.warmup_quality.overall.scored > 0
    quality = loop.warmup_quality if warmed else loop.quality
    shown = {JOINT: JOINT}
    for kind in kinds_of(loop) if kinds is None else kinds:
        shown[kind] = quality.best(_columns_of(loop, kind), CHOICE_METRIC)
    return shown


def baselines_document(loop: LearningLoop, shown: Mapping[str, str]) -> dict[str, Any]:
    """Return each kind's column and settings, and all columns over scored clicks and warm-up.

    A kind's ``column``, the one that is shown, is either the one that is best over the scored
    clicks or the one that is best over the warm-up, both of which are told as well.

    Parameters
    ----------
    loop
        Has measured.
    shown
        See `choose_baselines`.
    """
    document: dict[str, Any] = {
        "chosen_by": CHOICE_METRIC,
        "grid": _grid(loop.quality, loop),
        "warmup_grid": _grid(loop.warmup_quality, loop),
        "warmup_scored": loop.warmup_quality.overall.scored,
    }
    for kind, column in shown.items():
        if kind != JOINT:
            columns = _columns_of(loop, kind)
            on_warmup = loop.warmup_quality.best(columns, CHOICE_METRIC)
            document[kind] = {
                "column": column,
                "best_on_scored_column": loop.quality.best(columns, CHOICE_METRIC),
                "best_on_warmup_column": on_warmup,
                **column_settings(column),
                **{f"best_on_warmup_{k}": v for k, v in column_settings(on_warmup).items()},
            }
    return document


def _columns_of(loop: LearningLoop, kind: str) -> list[str]:
    return [name for name in loop.baselines.names if kind_of(name) == kind]


def _grid(quality: Prequential, loop: LearningLoop) -> dict[str, Any]:
    """Return kind → settings (or the kind, where its name has none) → metric → mean."""
    return {
        kind: {
            name.partition("@")[2] or name: quality.overall.means(quality.models.index(name))
            for name in _columns_of(loop, kind)
        }
        for kind in kinds_of(loop)
    }
