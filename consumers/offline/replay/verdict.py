"""Whether the joint model is better than what it was compared with, as far as can be told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from consumers.offline.replay.analysis import AGAINST_EACH

HEADLINE: Final = "hr@20"
SURE: Final = 0.05
"""A difference counts as real below this corrected p-value."""

VERDICTS: Final = {1: "better", 0: "unclear", -1: "worse"}
_STANDINGS: Final = {1: "surely better than", 0: "unclear against", -1: "surely worse than"}


def side(difference: Mapping[str, Any]) -> int:
    """Return 1 or -1 where a model is surely better or worse than the other one, else 0.

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


def against_each(document: Mapping[str, Any], metric: str) -> list[Mapping[str, Any]]:
    """Return the joint model's difference to each baseline, the strongest first.

    Parameters
    ----------
    document
        What `metrics.json` holds.
    metric
        Of `AGAINST_EACH`.
    """
    found = [one for one in document["differences"]["baselines"] if one["metric"] == metric]
    return sorted(found, key=lambda one: -float(one["mean_against"]))


def verdict(document: Mapping[str, Any]) -> str:
    """Return who wins, by how much and how surely, in one sentence.

    Parameters
    ----------
    document
        What `metrics.json` holds.
    """
    if not document["overall"]["scored"]:
        return (
            "No click was scored: after the warm-up nobody clicked a second item. Replay a longer "
            "stream, or lower the warm-up."
        )
    each = against_each(document, HEADLINE)
    found = f"{document['overall']['joint'][HEADLINE]:.1%} of the clicked items among its first 20"
    if not each:
        return f"The joint model found {found}; no baseline was measured."
    worst = min(side(one) for one in each)
    one = next(one for one in each if side(one) == worst)
    name, theirs = one["against"], f"{one['mean_against']:.1%}"
    if worst > 0:
        return (
            f"The joint model is better than every baseline here: it found {found}, {name}, the "
            f"strongest of them, {theirs} ({_how_sure(one)})."
        )
    if worst < 0:
        return (
            f"The joint model is behind {name}: it found {found}, {name} {theirs} "
            f"({_how_sure(one)})."
        )
    return (
        f"No clear winner: the joint model found {found}, {name} {theirs}, which may be luck "
        f"({_how_sure(one)})."
    )


def standing(document: Mapping[str, Any]) -> str:
    """Return which baselines the joint model is better than, in one sentence for each metric.

    Metrics that say the same share one; it is empty without baselines.

    Parameters
    ----------
    document
        What `metrics.json` holds.
    """
    metrics: dict[str, list[str]] = {}
    for metric in AGAINST_EACH:
        each = against_each(document, metric)
        groups = [
            f"{words} {_listed([one['against'] for one in each if side(one) == sign])}"
            for sign, words in _STANDINGS.items()
            if any(side(one) == sign for one in each)
        ]
        if groups:
            metrics.setdefault("; ".join(groups), []).append(metric.upper())
    return " ".join(f"By {_listed(names)} it is {text}." for text, names in metrics.items())


def _how_sure(one: Mapping[str, Any]) -> str:
    points = f"difference {100.0 * one['difference']:+.2f} percentage points"
    ends = widest(one)
    if ends is None:
        return f"{points}, of too few users and times to say more"
    low, high = (100.0 * end for end in ends)
    return f"{points}, 95 % interval {low:+.2f} to {high:+.2f}"


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
