"""`report.html`: a replay's result as one page that loads nothing."""

import html
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from plotly.offline import get_plotlyjs

from consumers.runtime.outputs import written_aside
from consumers.terminal_text import printable

MODELS: Final = ("joint", "popularity", "graph")
COLOURS: Final = {"joint": "#1f6feb", "popularity": "#d29922", "graph": "#8b949e"}
SHOWN_METRICS: Final = ("hr@20", "mrr@20", "ndcg@20", "hr@10", "hr@5")
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 FONT; color: #1f2328; background: #fff; margin: 0 auto; padding: 1rem;
       max-width: 64rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0 .75rem; color: #59636e; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #d1d9e0; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; }
.best { font-weight: 600; }
.plot { width: 100%; height: 19rem; }
""".replace("FONT", FONT)

_SCRIPT: Final = """
for (const plot of JSON.parse(document.getElementById("plots").textContent)) {
  Plotly.newPlot(plot.id, plot.data, plot.layout, {responsive: true, displayModeBar: false});
}
"""


def write_report(document: Mapping[str, Any], path: Path) -> None:
    """Write the report of a replay; the file is there whole or not at all.

    Parameters
    ----------
    document
        What `metrics.json` holds.
    path
        The file.
    """
    with written_aside(path) as aside:
        aside.write_text(render(document), encoding="utf-8")


def render(document: Mapping[str, Any]) -> str:
    """Return the report as one HTML page that loads nothing."""
    name = html.escape(printable(str(document["options"]["events"])))
    plots = _plots(document)
    sections = "".join(
        f"<h2>{plot['title']}</h2><p>{plot['text']}</p><div class='plot' id='{plot['id']}'></div>"
        for plot in plots
    )
    # Inside a script element only "</" could end the data early.
    data = json.dumps([{key: p[key] for key in ("id", "data", "layout")} for p in plots])
    data = data.replace("</", "<\\/")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='icon' href='data:,'>"
        f"<title>Replay of {name}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Replay of {name}</h1>{_summary(document)}"
        f"<h2>Quality</h2>{_quality_text(document)}{_quality_table(document['overall'])}"
        f"{_slices(document)}{sections}{_costs(document)}"
        f"<script type='application/json' id='plots'>{data}</script>"
        f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script></body></html>"
    )


def _summary(document: Mapping[str, Any]) -> str:
    cost, overall = document["cost"], document["overall"]
    if not cost["scored"]:
        return (
            "<p>No click was scored: after the warm-up nobody clicked a second item. "
            "Replay a longer stream, or lower the warm-up.</p>"
        )
    best = max(overall[name]["hr@20"] for name in MODELS[1:])
    gain = overall["joint"]["hr@20"] / best - 1.0 if best > 0.0 else 0.0
    return (
        f"<p>{cost['clicks']:,} clicks taken in, {cost['scored']:,} of them scored: each was "
        "ranked among all items before anything learned from it. The joint model found "
        f"{overall['joint']['hr@20']:.1%} of the clicked items among its first 20, "
        f"{abs(gain):.1%} {'more' if gain >= 0.0 else 'less'} than the better baseline. "
        f"{len(document['drift']['alarms'])} drift alarms.</p>"
    )


def _quality_text(document: Mapping[str, Any]) -> str:
    lives = {
        name: _duration(document["baselines"][name]["half_life_seconds"]) for name in MODELS[1:]
    }
    return (
        "<p>Baselines are updated after every single click, each at its best half-life: "
        f"popularity {lives['popularity']}, item graph {lives['graph']}.</p>"
    )


def _quality_table(overall: Mapping[str, Mapping[str, float]]) -> str:
    best = {metric: max(overall[name][metric] for name in MODELS) for metric in SHOWN_METRICS}
    rows = [
        (name, *(_cell(overall[name][metric], best[metric]) for metric in SHOWN_METRICS))
        for name in MODELS
    ]
    return _table(("model", *SHOWN_METRICS), rows)


def _cell(value: float, best: float) -> str:
    shown = f"{value:.4f}"
    return f"<span class='best'>{shown}</span>" if value == best and best > 0.0 else shown


def _slices(document: Mapping[str, Any]) -> str:
    parts = []
    for name, title in (("new_users", "New users"), ("new_items", "New items")):
        tally = document["slices"][name]
        rule = html.escape(document["slice_rules"][name])
        parts.append(
            f"<h2>{title}</h2><p>{tally['scored']:,} clicks: {rule}.</p>{_quality_table(tally)}"
        )
    return "".join(parts)


def _costs(document: Mapping[str, Any]) -> str:
    cost = document["cost"]
    seconds = cost["seconds"]
    rows = [
        ("time", f"{seconds:,.0f} s"),
        ("processor time", f"{cost['cpu_seconds']:,.0f} s"),
        ("clicks per second", f"{cost['clicks'] / seconds if seconds > 0 else 0.0:,.0f}"),
        ("peak memory", f"{cost['peak_memory_bytes'] / 2**20:,.0f} MiB"),
        *((f"… {stage}", f"{spent:,.0f} s") for stage, spent in cost["stages_seconds"].items()),
    ]
    return f"<h2>Cost</h2>{_table(('what', 'how much'), rows)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><tr>{head}</tr>{body}</table></div>"


def _plots(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    windows = document["windows"]
    times = [_moment((window["start"] + window["end"]) / 2) for window in windows]
    alarms = [_moment(alarm["time"]) for alarm in document["drift"]["alarms"]]
    plots = [
        _plot(
            f"quality-{metric}",
            f"{metric.upper()} over time",
            "Vertical lines are drift alarms: the joint model's hit rate fell."
            if alarms
            else "There was no drift alarm.",
            [_line(name, times, [w[name][metric] for w in windows]) for name in MODELS],
            alarms=alarms,
        )
        for metric in ("hr@20", "mrr@20")
    ]
    plots.append(
        _plot(
            "scored",
            "Scored clicks per window",
            f"Each window is {_duration(document['options']['window_seconds'])} long.",
            [{"type": "bar", "x": times, "y": [w["scored"] for w in windows], "name": "clicks"}],
        )
    )
    return [*plots, *_drift_plots(document), _loss_plot(document)]


def _drift_plots(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    looks = document["drift"]["looks"][1:]
    times = [_moment(look["time"]) for look in looks]
    shares = {
        "embedding movement": "embedding_movement",
        "graph churn": "graph_churn",
        "catalogue coverage": "catalogue_coverage",
        "clicks on unknown items": "new_item_share",
    }
    return [
        _plot(
            "psi",
            "Popularity shift (PSI)",
            "Below 0.1 stable, to 0.25 worth a look, above it a shift; news shifts all the time.",
            [_line("PSI", times, [look["popularity_psi"] for look in looks])],
        ),
        _plot(
            "movement",
            "What moved",
            "Each compared with the window before.",
            [_line(name, times, [look[key] for look in looks]) for name, key in shares.items()],
        ),
    ]


def _loss_plot(document: Mapping[str, Any]) -> dict[str, Any]:
    cycles = document["cycles"]
    times = [_moment(cycle["time"]) for cycle in cycles]
    dropped = sum(1 for cycle in cycles if not cycle["promoted"])
    return _plot(
        "loss",
        "Loss of fresh clicks",
        f"{len(cycles):,} learning cycles; the judge dropped {dropped:,} of them.",
        [_line("loss", times, [cycle["loss"] for cycle in cycles])],
    )


def _plot(
    name: str,
    title: str,
    text: str,
    data: list[dict[str, Any]],
    alarms: Sequence[str] = (),
) -> dict[str, Any]:
    lines = [
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
        | {"line": {"color": "#cf222e", "width": 1, "dash": "dot"}}
        for at in alarms
    ]
    layout = {
        "margin": {"l": 48, "r": 12, "t": 8, "b": 32},
        "font": {"family": FONT, "size": 13},
        "legend": {"orientation": "h", "y": 1.15},
        "yaxis": {"rangemode": "tozero"},
        "showlegend": len(data) > 1,
        "shapes": lines,
        "hovermode": "x unified",
    }
    plot_id = name.replace("@", "-")
    return {"id": plot_id, "title": title, "text": text, "data": data, "layout": layout}


def _line(name: str, times: Sequence[str], values: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(times),
        "y": [round(value, 5) for value in values],
        "line": {"color": COLOURS.get(name), "width": 2.5 if name == MODELS[0] else 1.5},
    }


def _moment(seconds: float) -> str:
    """Return a time as plots want it; far outside the calendar it is shown as the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "1970-01-01 00:00:00"


def _duration(seconds: float) -> str:
    """Return a span in words.

    >>> _duration(3600.0), _duration(7 * 86_400.0), _duration(90.0)
    ('1 h', '7 d', '90 s')
    """
    for unit, name in ((86_400.0, "d"), (3600.0, "h")):
        if seconds >= unit and seconds % unit == 0.0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
