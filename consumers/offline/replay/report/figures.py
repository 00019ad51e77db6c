"""The report's plots, as plotly takes them; colours of text and lines follow the page's scheme."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from consumers.offline.replay.analysis import is_joint
from consumers.offline.replay.report.words import duration
from gsr.baselines.column_names import kind_of

PALETTE: Final = ("#2f81f7", "#d29922", "#8b949e", "#3fb950", "#db61a2", "#a371f7", "#f0883e")
"""Readable on white and on black."""

DRAWN_BASELINES: Final = 3
"""How many baselines, the strongest, are drawn over time before others are asked for."""


def plots(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every plot: its id, title, text, and plotly's data and layout."""
    windows = document["windows"]
    times = [_moment((window["start"] + window["end"]) / 2) for window in windows]
    alarms = [_moment(alarm["time"]) for alarm in document["drift"]["alarms"]]
    told = (
        "Vertical lines are drift alarms: the joint model's hit rate fell."
        if alarms
        else "There was no drift alarm."
    )
    if sum(not is_joint(name) for name in document["models"]) > DRAWN_BASELINES:
        told += " The weaker baselines are drawn when their names are chosen."
    plots = [
        _plot(
            f"quality-{metric}",
            f"{metric.upper()} over time",
            told,
            _quality_lines(document, metric, times),
            alarms=alarms,
        )
        for metric in ("hr@20", "mrr@20")
    ]
    plots.append(
        _plot(
            "scored",
            "Scored clicks per window",
            f"Each window is {duration(document['options']['window_seconds'])} long.",
            [
                {
                    "type": "bar",
                    "x": times,
                    "y": [w["scored"] for w in windows],
                    "name": "clicks",
                    "marker": {"color": PALETTE[0]},
                }
            ],
        )
    )
    return [*plots, *_drift_plots(document), _loss_plot(document)]


def _quality_lines(
    document: Mapping[str, Any], metric: str, times: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a line for each model: configurations, then baselines, the strongest first."""
    overall = document["overall"]
    configurations = [name for name in document["models"] if is_joint(name)]
    baselines = [name for name in document["models"] if not is_joint(name)]
    baselines.sort(key=lambda name: -float(overall[name][metric]))
    lines = [
        _line(name, times, [window[name][metric] for window in document["windows"]], number)
        for number, name in enumerate([*configurations, *baselines])
    ]
    for line in lines[len(configurations) + DRAWN_BASELINES :]:
        line["visible"] = "legendonly"
    return lines


def decile_plot(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how often each model finds items of each popularity decile; None where unknown."""
    lists = document["lists"]
    if lists is None or not any(lists["tested_by_decile"]):
        return None
    length = lists["list_length"]
    models = {n: one for n, one in lists["models"].items() if f"hr@{length}_by_decile" in one}
    deciles = [str(number) for number in range(1, len(lists["tested_by_decile"]) + 1)]
    data = [
        _line(kind_of(name), deciles, found[f"hr@{length}_by_decile"], number)
        | {"mode": "lines+markers"}
        for number, (name, found) in enumerate(models.items())
    ]
    text = (
        "Items in order of their clicks so far, cut so that each tenth had a tenth of all clicks: "
        f"a few items in the first, most of the catalogue in the last. HR@{length} of "
        f"{sum(lists['tested_by_decile']):,} tested clicks, by the tenth of the clicked item."
    )
    plot = _plot("deciles", "Hits on popular and on rare items", text, data)
    plot["layout"]["xaxis"] = {"type": "category", "title": {"text": "1: most clicked … 10: least"}}
    return plot


def curves(
    name: str,
    title: str,
    text: str,
    lines: Mapping[str, Sequence[float]],
    at: Sequence[int],
) -> dict[str, Any]:
    """Return a plot of a line for each model, at numbers such as those of windows."""
    places = [str(number) for number in at]
    data = [_line(model, places, values, n) for n, (model, values) in enumerate(lines.items())]
    return _plot(name, title, text, data)


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
            [
                _line(name, times, [look[key] for look in looks], number)
                for number, (name, key) in enumerate(shares.items())
            ],
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
        | {"line": {"color": "#f85149", "width": 1, "dash": "dot"}}
        for at in alarms
    ]
    layout = {
        "margin": {"l": 48, "r": 12, "t": 8, "b": 48},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "yaxis": {"rangemode": "tozero"},
        "showlegend": len(data) > 1,
        "shapes": lines,
        "hovermode": "x unified",
    }
    plot_id = name.replace("@", "-")
    return {"id": plot_id, "title": title, "text": text, "data": data, "layout": layout}


def _line(
    name: str, times: Sequence[str], values: Sequence[float | None], number: int = 0
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(times),
        "y": [None if value is None else round(value, 5) for value in values],
        "line": {
            "color": PALETTE[number % len(PALETTE)],
            "width": 1.5 if number else 2.5,
            "dash": "dot" if number >= len(PALETTE) else "solid",
        },
    }


def _moment(seconds: float) -> str:
    """Return a time as plots want it; far outside the calendar it is shown as the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "1970-01-01 00:00:00"
