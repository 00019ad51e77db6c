"""The report's words and tables: who wins, for whom, and at what cost."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, Final

from consumers.offline.replay.report.figures import duration
from consumers.offline.replay.report.results import HEADLINE, headline, sides, widest

SHOWN_METRICS: Final = ("hr@20", "mrr@20", "ndcg@20", "hr@10", "hr@5")
_KINDS: Final = ("users", "windows")
_VERDICTS: Final = {1: "better", 0: "unclear", -1: "worse"}
_SLICE_TITLES: Final = {
    "users": "Users, by their clicks before",
    "items": "Items, by clicks on them before",
}


def summary(document: Mapping[str, Any]) -> str:
    """Return who wins, by how much, and for whom."""
    cost = document["cost"]
    if not cost["scored"]:
        return (
            "<p>No click was scored: after the warm-up nobody clicked a second item. "
            "Replay a longer stream, or lower the warm-up.</p>"
        )
    parts = [f"<p><b>{_winner(document)}</b></p>", _for_whom(document)]
    parts.append(
        f"<p>{cost['clicks']:,} clicks taken in, {cost['scored']:,} of them scored: each was "
        "ranked among all items before anything learned from it. "
        f"{len(document['drift']['alarms'])} drift alarms.</p>"
    )
    return f"<div class='summary'>{''.join(parts)}</div>"


def quality(document: Mapping[str, Any]) -> str:
    """Return the table of all models, and how the baselines' half-lives were chosen."""
    overall, models = document["overall"], document["models"]
    best = {metric: max(overall[name][metric] for name in models) for metric in SHOWN_METRICS}
    rows = [
        (
            html.escape(name),
            *(_cell(overall[name][metric], best[metric]) for metric in SHOWN_METRICS),
        )
        for name in models
    ]
    names = tuple(metric.upper() for metric in SHOWN_METRICS)
    return f"<h2>Quality</h2><p>{_half_lives(document)}</p>{_table(('model', *names), rows)}"


def differences(document: Mapping[str, Any]) -> str:
    """Return every model's difference to the strongest rival; nothing without one."""
    found = document["differences"]["overall"]
    if not found:
        return ""
    rows = [
        (
            html.escape(one["model"]),
            one["metric"].upper(),
            html.escape(one["against"]),
            _signed(one),
            *(_interval(one[kind]) for kind in _KINDS),
            *("" if one[k] is None else f"{one[k]['p_corrected']:.2g}" for k in _KINDS),
        )
        for one in found
    ]
    header = (
        "model",
        "metric",
        "against",
        "difference",
        "other users",
        "other times",
        "p users",
        "p times",
    )
    return (
        "<h2>Is it luck?</h2><p>Differences to the strongest rival, with 95 % intervals: had other "
        "users like these clicked, and had it been other times. p-values are "
        f"corrected for how many models are compared (Holm).</p>{_table(header, rows)}"
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
    ]
    return f"<h2>Cost</h2>{_table(('what', 'how much'), rows)}"


def _winner(document: Mapping[str, Any]) -> str:
    overall, one = document["overall"], headline(document)
    mine = overall["joint"][HEADLINE]
    rivals = [name for name in document["models"] if not name.startswith("joint")]
    if not rivals:
        return f"The joint model found {mine:.1%} of the clicked items among its first 20."
    rival = max(rivals, key=lambda name: overall[name][HEADLINE]) if one is None else one["against"]
    theirs = overall[rival][HEADLINE]
    gain = mine / theirs - 1.0 if theirs > 0.0 else 0.0
    facts = (
        f"it found {mine:.1%} of the clicked items among its first 20, "
        f"{html.escape(rival)}, the strongest rival, {theirs:.1%}: "
        f"{abs(gain):.1%} {'more' if gain >= 0.0 else 'fewer'}"
    )
    ends = None if one is None else widest(one)
    if one is None or ends is None:
        return f"The joint model: {facts}. Whether that is luck was not tested."
    began = {
        1: "The joint model is better than what you have",
        0: "Nobody wins: the joint model's difference may be luck",
        -1: "The joint model is worse than what you have",
    }[sides(one)]
    low, high = (100.0 * end for end in ends)
    return (
        f"{began}: {facts} (difference {100 * one['difference']:+.2f} percentage points, "
        f"95 % interval {low:+.2f} to {high:+.2f})."
    )


def _for_whom(document: Mapping[str, Any]) -> str:
    """Return in which slices the joint model is better or worse."""
    told = []
    for verdict, words in ((1, "Better"), (-1, "Worse"), (0, "Unclear")):
        groups = []
        for kind, noun in (("users", "users"), ("items", "items")):
            names = [
                one["slice"]
                for one in _slice_differences(document, kind, HEADLINE)
                if sides(one) == verdict
            ]
            if names:
                groups.append(f"{noun} with {', '.join(names)} clicks before")
        if groups:
            told.append(f"{words} for {'; '.join(groups)}.")
    return f"<p>{' '.join(told)}</p>" if told else ""


def _slice_differences(
    document: Mapping[str, Any], kind: str, metric: str
) -> list[Mapping[str, Any]]:
    found = document["differences"]["slices"]
    return [one for one in found if one["kind"] == kind and one["metric"] == metric]


def _half_lives(document: Mapping[str, Any]) -> str:
    baselines = document.get("baselines", {})
    lives = [
        f"{html.escape(name)} {duration(one['half_life_seconds'])}"
        for name, one in baselines.items()
        if isinstance(one, Mapping) and "half_life_seconds" in one
    ]
    began = "Baselines are updated after every single click. "
    if not lives:
        return began
    asked = document["options"].get("baselines_chosen_on")
    on_warmup = asked == "warmup" and baselines.get("warmup_scored", 0) > 0
    chosen = (
        "chosen on the warm-up, before any scored click"
        if on_warmup
        else "the best on the scored clicks themselves, which favours these baselines"
    )
    return f"{began}Half-lives, {chosen}: {', '.join(lives)}."


def _slice_table(
    document: Mapping[str, Any], kind: str, found: Mapping[str, Any], metric: str
) -> str:
    """Return one metric of one kind of slices: a row for each model, a column for each slice."""
    models = document["models"]
    best = {name: max(block[m][metric] for m in models) for name, block in found.items()}
    rows = [("scored", *(f"{block['scored']:,}" for block in found.values()))]
    for model in models:
        cells = [
            _cell(block[model][metric], best[name], 3) if block["scored"] else "&ndash;"
            for name, block in found.items()
        ]
        rows.append((html.escape(model), *cells))
    tested = {one["slice"]: one for one in _slice_differences(document, kind, metric)}
    if tested:
        rival = html.escape(next(iter(tested.values()))["against"])
        cells = [_signed(tested[name], 3) if name in tested else "&ndash;" for name in found]
        rows.append((f"joint &minus; {rival}", *cells))
    names = tuple(found)
    return f"<h3>{metric.upper()}</h3>{_table(('', *names), rows)}"


def _cell(value: float, best: float, digits: int = 4) -> str:
    shown = f"{value:.{digits}f}"
    return f"<span class='best'>{shown}</span>" if value == best and best > 0.0 else shown


def _signed(one: Mapping[str, Any], digits: int = 4) -> str:
    shown = f"{one['difference']:+.{digits}f}"
    return f"<span class='{_VERDICTS[sides(one)]}'>{shown}</span>"


def _interval(found: Mapping[str, Any] | None) -> str:
    return "too few" if found is None else f"{found['low']:+.4f} to {found['high']:+.4f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><tr>{head}</tr>{body}</table></div>"
