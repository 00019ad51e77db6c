"""The report's words and tables: who wins, for whom, and at what cost."""

import html
from collections.abc import Mapping
from typing import Any, Final

from consumers.offline.replay.report.tables import cell, interval, signed, table
from consumers.offline.replay.report.words import setting
from consumers.offline.replay.verdict import HEADLINE, side, standing, verdict

SHOWN_METRICS: Final = ("hr@20", "mrr@20", "ndcg@20", "hr@10", "hr@5")
_KINDS: Final = ("users", "windows")
_SLICE_TITLES: Final = {
    "users": "Users, by their clicks before",
    "items": "Items, by clicks on them before",
}


def summary(document: Mapping[str, Any]) -> str:
    """Return who wins, by how much, and for whom."""
    cost = document["cost"]
    told = f"<p><b>{html.escape(verdict(document))}</b></p>"
    if cost["scored"]:
        told += "".join(
            f"<p>{html.escape(text)}</p>"
            for text in (standing(document), _for_whom(document))
            if text
        )
        told += (
            f"<p>{cost['clicks']:,} clicks taken in, {cost['scored']:,} of them scored: each was "
            "ranked among all items before anything learned from it. "
            f"{len(document['drift']['alarms'])} drift alarms.</p>"
        )
    return f"<div class='summary'>{told}</div>"


def quality(document: Mapping[str, Any]) -> str:
    """Return the table of all models, and how the baselines' half-lives were chosen."""
    overall, models = document["overall"], document["models"]
    best = {metric: max(overall[name][metric] for name in models) for metric in SHOWN_METRICS}
    rows = [
        (
            html.escape(name),
            *(cell(overall[name][metric], best[metric]) for metric in SHOWN_METRICS),
        )
        for name in models
    ]
    names = tuple(metric.upper() for metric in SHOWN_METRICS)
    return f"<h2>Quality</h2><p>{_settings(document)}</p>{table(('model', *names), rows)}"


def differences(document: Mapping[str, Any]) -> str:
    """Return how other configurations differ from the joint model and from the strongest baseline.

    Nothing where there are none.
    """
    told = document["differences"]
    found = [
        *told["configurations"],
        *(one for one in told["overall"] if one["model"].startswith("joint:")),
    ]
    if not found:
        return ""
    rows = [
        (
            html.escape(one["model"]),
            one["metric"].upper(),
            html.escape(one["against"]),
            signed(one),
            *(interval(one[kind]) for kind in _KINDS),
            *("" if one[k] is None else f"{one[k]['p_corrected']:.2g}" for k in _KINDS),
        )
        for one in found
    ]
    header = (
        "configuration",
        "metric",
        "against",
        "difference",
        "other users",
        "other times",
        "p users",
        "p times",
    )
    return (
        "<h2>Is it luck?</h2><p>Other configurations against the joint model and the strongest "
        "baseline, with 95 % intervals: had other users like these clicked, and had it been other "
        "times. p-values are corrected for how many models are compared (Holm). Another seed of a "
        "configuration is another model, and intervals know nothing of it: compare several.</p>"
        f"{table(header, rows)}"
    )


def slices(document: Mapping[str, Any]) -> str:
    """Return cold start: quality by how much was known of users and of items."""
    parts = []
    for kind, title in _SLICE_TITLES.items():
        found = document["slices"][kind]
        tables = "".join(_slice_table(document, kind, found, m) for m in ("hr@20", "mrr@20"))
        parts.append(f"<h2>{title}</h2>{tables}")
    return "".join(parts)


def costs(document: Mapping[str, Any]) -> str:
    """Return what the replay, and each model where that is known, cost."""
    cost = document["cost"]
    seconds = cost["seconds"]
    rows = [
        ("time", f"{seconds:,.0f} s"),
        ("processor time", f"{cost['cpu_seconds']:,.0f} s"),
        ("clicks per second", f"{cost['clicks'] / seconds if seconds > 0 else 0.0:,.0f}"),
        ("peak memory", f"{cost['peak_memory_bytes'] / 2**20:,.0f} MiB"),
        *((f"… {stage}", f"{spent:,.0f} s") for stage, spent in cost["stages_seconds"].items()),
        *(
            (f"model {html.escape(name)}", f"{spent:,.1f} s")
            for name, spent in cost.get("models_seconds", {}).items()
        ),
        *_retraining(cost),
    ]
    return f"<h2>Cost</h2>{table(('what', 'how much'), rows)}"


def _retraining(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what learning anew cost beside the replay, where that was done."""
    found = cost.get("retraining")
    if found is None:
        return []
    what = f"{found['models']:,} models, every {found['hours']:g} hours"
    return [
        (f"retraining beside: {what}", f"{found['cpu_seconds']:,.0f} s of processor time"),
        ("… waiting for them", f"{found['waiting_seconds']:,.0f} s"),
    ]


def _for_whom(document: Mapping[str, Any]) -> str:
    """Return for whom the joint model is better or worse than the strongest baseline."""
    told, rival = [], ""
    for verdict_side, words in ((1, "better"), (-1, "worse"), (0, "unclear")):
        groups = []
        for kind in _SLICE_TITLES:
            found = [
                one
                for one in _slice_differences(document, kind, HEADLINE)
                if side(one) == verdict_side
            ]
            if found:
                rival = found[0]["against"]
                names = [one["slice"] for one in found]
                noun = "click" if names == ["1"] else "clicks"
                groups.append(f"{kind} with {', '.join(names)} {noun} before")
        if groups:
            told.append(f"{words} for {' and '.join(groups)}")
    return f"For whom, against {rival}: {'; '.join(told)}." if told else ""


def _slice_differences(
    document: Mapping[str, Any], kind: str, metric: str
) -> list[Mapping[str, Any]]:
    found = document["differences"]["slices"]
    return [one for one in found if one["kind"] == kind and one["metric"] == metric]


def _settings(document: Mapping[str, Any]) -> str:
    """Return half-lives and mixes of the baselines, and on which clicks they were chosen."""
    baselines = document["baselines"]
    found = [
        f"{html.escape(name)} {setting(baselines[name])}"
        for name in document["models"]
        if name in baselines and setting(baselines[name])
    ]
    began = "Baselines are updated after every single click. "
    if not found:
        return began
    asked = document["options"]["baselines_chosen_on"]
    on_warmup = asked == "warmup" and baselines["warmup_scored"] > 0
    chosen = (
        "chosen on the warm-up, before any scored click"
        if on_warmup
        else "the best on the scored clicks themselves, which favours these baselines"
    )
    return f"{began}Half-lives and mixes, {chosen}: {'; '.join(found)}."


def _slice_table(
    document: Mapping[str, Any], kind: str, found: Mapping[str, Any], metric: str
) -> str:
    """Return one metric of one kind of slices: a row for each model, a column for each slice."""
    models = document["models"]
    best = {name: max(block[m][metric] for m in models) for name, block in found.items()}
    rows = [("scored", *(f"{block['scored']:,}" for block in found.values()))]
    for model in models:
        cells = [
            cell(block[model][metric], best[name], 3) if block["scored"] else "&ndash;"
            for name, block in found.items()
        ]
        rows.append((html.escape(model), *cells))
    tested = {one["slice"]: one for one in _slice_differences(document, kind, metric)}
    if tested:
        rival = html.escape(next(iter(tested.values()))["against"])
        cells = [signed(tested[name], 3) if name in tested else "&ndash;" for name in found]
        rows.append((f"joint &minus; {rival}", *cells))
    names = tuple(found)
    return f"<h3>{metric.upper()}</h3>{table(('', *names), rows)}"
