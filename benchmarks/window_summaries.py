"""Summaries of published stream protocols: short ones, and several joined into one.

Of each kind of baseline the best column is kept, by the first published metric over all windows,
in each mode. It is chosen on the scored cases themselves, which favours the baselines.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.replays import rounded
from consumers.offline.windows.baselines import best_columns, columns_by_kind
from consumers.offline.windows.options import PROTOCOLS
from gsr.loop.baseline_choice import JOINT

KEPT_METRICS: Final = ("hr@20", "ndcg@20", "mrr@20")

OWN_OPTIONS: Final = frozenset({"joint", "baselines", "half_lives", "cycle_clicks"})
"""Options in which pieces that are joined may differ: baselines know nothing of cycles."""

UNSAID_OPTIONS: Final = {"repeats": "include"}
"""What held for summaries that do not say it; other options that are not said were not set."""

NOTE: Final = (
    "of each kind of baseline the column that is best by this metric over the windows of the "
    "mode, chosen on the scored cases themselves, which favours the baselines"
)


def summarise(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth keeping of a `document`, rounded, beside the published figures.

    Every window is kept with the published metrics of the joint model and of the strongest other
    one, where they were measured.

    Parameters
    ----------
    document
        What `replay_windows` found, with the name of the `protocol` and the `machine`.
    """
    protocol = PROTOCOLS[document["protocol"]]
    first = protocol.metrics[0]
    over = document["over_windows"]
    shown = {mode: best_columns(means, first) for mode, means in over.items()}
    series = {mode: _watched(over[mode], list(shown[mode].values()), first) for mode in shown}
    models = columns_of(document)
    summary: dict[str, Any] = rounded(
        {
            "protocol": document["protocol"],
            "source": protocol.source,
            "published": protocol.rows(),
            "counts": document["counts"],
            "options": document["options"],
            "chosen_by": first,
            "chosen": NOTE,
            "columns": columns_by_kind(models),
            "models": models,
            "over_windows": {
                mode: _metrics(over[mode], columns.values()) for mode, columns in shown.items()
            },
            "over_cases": {
                mode: {"cases": document["over_cases"][mode]["cases"]}
                | _metrics(document["over_cases"][mode], columns.values())
                for mode, columns in shown.items()
            },
            "pieces": pieces_of(document),
            "windows": [
                {"window": window["window"], "sessions": window["sessions"]}
                | {
                    mode: {"cases": window[mode]["cases"]}
                    | {
                        column: {m: window[mode][column][m] for m in protocol.metrics}
                        for column in columns
                        if column in window[mode]
                    }
                    for mode, columns in series.items()
                }
                for window in document["windows"]
            ],
        }
    )
    return summary


def join(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one summary of what was measured apart, on the same cases.

    Parameters
    ----------
    documents
        Summaries; at most one of them has the joint model.

    Raises
    ------
    ValueError
        They are not of the same cases, or more than one has the joint model.
    """
    whole, *others = documents
    for other in others:
        check_alike(whole, other)
        modes = whole["over_windows"]
        whole = {
            **whole,
            "models": list(dict.fromkeys([*columns_of(whole), *columns_of(other)])),
            "pieces": [*pieces_of(whole), *pieces_of(other)],
            "options": _options_of_both(whole["options"], other["options"]),
            **{
                key: {mode: {**whole[key][mode], **other[key][mode]} for mode in modes}
                for key in ("over_windows", "over_cases")
            },
            "windows": [
                {**mine, **{mode: {**mine[mode], **its[mode]} for mode in modes}}
                for mine, its in zip(whole["windows"], other["windows"], strict=True)
            ],
        }
    return summarise(whole)


def check_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Raise a `ValueError` where two summaries are not of the same cases."""
    for key in ("protocol", "counts"):
        _check_equal(key, one[key], other[key])
    asked = [UNSAID_OPTIONS | x["options"] for x in (one, other)]
    for name in sorted({*asked[0], *asked[1]} - OWN_OPTIONS):
        _check_equal(f"option {name}", *(options.get(name) for options in asked))
    for mode in one["over_windows"]:
        if _cases(one, mode) != _cases(other, mode):
            raise ValueError(f"the pieces have other cases in some windows, {mode}")
        if JOINT in one["over_windows"][mode] and JOINT in other["over_windows"][mode]:
            raise ValueError("the joint model is in more than one of the summaries: leave one out")


def columns_of(document: Mapping[str, Any]) -> list[str]:
    """Return the names of all columns that were measured."""
    found = document.get("models")
    if found is None:
        found = dict.fromkeys(c for means in document["over_windows"].values() for c in means)
    return list(found)


def pieces_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each run of a `document` measured, at which cost, on which machine."""
    if "pieces" in document:
        return list(document["pieces"])
    kinds = list(columns_by_kind(columns_of(document)))
    return [{"measured": kinds, "cost": document["cost"], "machine": document["machine"]}]


def _watched(means: Mapping[str, Any], columns: Sequence[str], metric: str) -> list[str]:
    """Return the columns whose windows are kept: the joint model and the strongest other one."""
    others = [column for column in columns if column != JOINT]
    best = max(others, key=lambda column: float(means[column][metric]), default=None)
    found = [JOINT] if JOINT in columns else []
    return found if best is None else [*found, best]


def _metrics(means: Mapping[str, Any], columns: Any) -> dict[str, Any]:
    return {column: {m: means[column][m] for m in KEPT_METRICS} for column in columns}


def _options_of_both(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    named = [options.get("baselines", ["counters"]) for options in (one, other)]
    cycles = {"cycle_clicks": (one if one["joint"] else other).get("cycle_clicks")}
    return {
        **{name: value for name, value in cycles.items() if value is not None},
        **{name: value for name, value in one.items() if name not in OWN_OPTIONS},
        "joint": one["joint"] or other["joint"],
        "baselines": list(dict.fromkeys(name for names in named for name in names)),
    }


def _cases(document: Mapping[str, Any], mode: str) -> list[tuple[int, int]]:
    return [(window["window"], window[mode]["cases"]) for window in document["windows"]]


def _check_equal(what: str, one: Any, other: Any) -> None:
    if one != other:
        raise ValueError(f"the pieces are not of the same cases: {what} is {one} and {other}")
