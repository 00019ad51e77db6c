"""`report.html` of a replay by windows: tables beside published rows, and curves over windows."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from consumers.offline.replay.report.figures import curves
from consumers.offline.replay.report.page import page, plot_section
from consumers.offline.replay.report.tables import cell, table
from consumers.runtime.outputs import written_aside
from consumers.terminal_text import printable

_MODES: Final = {
    "frozen": "Counters and weights as they were at the end of the window before.",
    "live": "Counters and weights go on within the window.",
}


def write_window_report(document: Mapping[str, Any], path: Path) -> None:
    """Write the report; the file is there whole or not at all.

    Parameters
    ----------
    document
        What `metrics.json` holds (see `window_result`).
    path
        The file.
    """
    with written_aside(path) as aside:
        aside.write_text(render(document), encoding="utf-8")


def render(document: Mapping[str, Any]) -> str:
    """Return the report as one HTML page that loads nothing."""
    name = html.escape(printable(str(document["options"]["events"])))
    plots = _plots(document)
    tables = "".join(_table(document, mode) for mode in document["shown"])
    title = f"{html.escape(document['protocol'])}: {name}"
    body = f"{_summary(document)}{tables}{''.join(map(plot_section, plots))}"
    return page(title, body, plots)


def _summary(document: Mapping[str, Any]) -> str:
    counts, options = document["counts"], document["options"]
    compared = (
        ""
        if document["source"] is None
        else f" Compared with {html.escape(document['source'])}, whose models are frozen."
    )
    return (
        f"<div class='summary'><p>{counts['windows']:,} windows, {counts['sessions']:,} sessions, "
        f"{counts['clicks']:,} clicks on {counts['items']:,} items; {counts['cases']:,} cases, "
        f"repeats {options['repeats']}d.{compared}</p>"
        "<p>Means over windows, each with equal weight. Half-lives and mixes are the best on the "
        f"scored cases themselves, by {document['metrics'][0].upper()}, which favours the "
        "baselines.</p></div>"
    )


def _table(document: Mapping[str, Any], mode: str) -> str:
    metrics, means = document["metrics"], document["over_windows"][mode]
    ours = {column: means[column] for column in document["shown"][mode].values()}
    best = {m: max(found[m] for found in ours.values()) for m in metrics}
    rows = [
        (html.escape(column), *(cell(found[m], best[m]) for m in metrics))
        for column, found in ours.items()
    ]
    rows += [
        (
            f"{html.escape(model)} (published)",
            *("" if found[m] is None else f"{found[m]:.4f}" for m in metrics),
        )
        for model, found in document["published"].items()
    ]
    header = ("model", *(metric.upper() for metric in metrics))
    return f"<h2>Quality, {mode}</h2><p>{_MODES[mode]}</p>{table(header, rows)}"


def _plots(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a plot of the first metric over the windows in each mode."""
    metric = document["metrics"][0]
    plots = []
    for mode, columns in document["shown"].items():
        tested = [window for window in document["windows"] if window[mode]["cases"]]
        lines = {
            column: [window[mode][column][metric] for window in tested]
            for column in columns.values()
        }
        title = f"{metric.upper()} by window, {mode}"
        numbers = [window["window"] for window in tested]
        plots.append(curves(f"windows-{mode}", title, "Windows by their numbers.", lines, numbers))
    return plots
