"""`report.html`: a replay's result as one page that loads nothing."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from plotly.offline import get_plotlyjs

from consumers.offline.replay.report.against import against
from consumers.offline.replay.report.beyond_accuracy import beyond_accuracy
from consumers.offline.replay.report.figures import decile_plot, plots
from consumers.offline.replay.report.sections import costs, differences, quality, slices, summary
from consumers.runtime.outputs import written_aside
from consumers.terminal_text import printable

_STYLE: Final = """
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #d1d9e0;
        --page: #fff; --card: #f6f8fa; --better: #1a7f37; --worse: #cf222e; --unclear: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --page: #0d1117; --card: #151b23;
          --better: #3fb950; --worse: #f85149; --unclear: #d29922; } }
body { font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
       color: var(--text); background: var(--page); margin: 0 auto; padding: 1rem;
       max-width: 64rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0 .75rem; color: var(--soft); }
.summary { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
           padding: .75rem 1rem; }
.summary p { color: var(--text); margin: 0 0 .5rem; } .summary p:last-child { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; color: var(--soft); font-size: .8em; line-height: 1.3; }
.worded td { vertical-align: top; } .worded td:first-child { white-space: normal; min-width: 9rem; }
.scroll { overflow-x: auto; } .best { font-weight: 700; } .better { color: var(--better); }
.worse { color: var(--worse); } .unclear { color: var(--unclear); }
.plot { width: 100%; height: 19rem; }
@media (max-width: 40rem) {
  body { font-size: 15px; } th, td { padding: .25rem .35rem; } .plot { height: 22rem; }
  .worded, .worded tbody { display: block; }
  .worded tr { display: grid; grid-template-columns: var(--columns); padding: .35rem 0;
               border-bottom: 1px solid var(--line); }
  .worded th, .worded td { border: 0; padding: .1rem; white-space: normal; }
  .worded th { font-size: .85em; } .worded span b { display: block; }
  .worded td:not(:first-child) small { font-size: .72em; }
  .worded td:first-child { grid-column: 1 / -1; } .worded th:first-child { display: none; } }
"""

_SCRIPT: Final = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const plots = JSON.parse(document.getElementById("plots").textContent);
function colours() {
  const line = dark.matches ? "#3d444d" : "#d1d9e0";
  const found = {"font.color": dark.matches ? "#e6edf3" : "#1f2328",
                 "hoverlabel.bgcolor": dark.matches ? "#151b23" : "#fff"};
  for (const axis of ["xaxis", "yaxis"])
    for (const part of ["gridcolor", "zerolinecolor", "linecolor"]) found[`${axis}.${part}`] = line;
  return found;
}
function paint() { for (const plot of plots) Plotly.relayout(plot.id, colours()); }
Promise.all(plots.map(plot =>
  Plotly.newPlot(plot.id, plot.data, plot.layout, {responsive: true, displayModeBar: false})
)).then(paint);
dark.addEventListener("change", paint);
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
    deciles, drawn = decile_plot(document), plots(document)
    beyond = beyond_accuracy(document)
    if deciles is not None:
        beyond += plot_section(deciles, level=3)
    sections = "".join(map(plot_section, drawn))
    drawn += [] if deciles is None else [deciles]
    body = (
        f"{summary(document)}{against(document)}{quality(document)}{differences(document)}"
        f"{slices(document)}{beyond}{sections}{costs(document)}"
    )
    return page(f"Replay of {name}", body, drawn)


def plot_section(plot: Mapping[str, Any], level: int = 2) -> str:
    """Return a plot's title, its text and where it is drawn, as HTML."""
    return (
        f"<h{level}>{plot['title']}</h{level}><p>{plot['text']}</p>"
        f"<div class='plot' id='{plot['id']}'></div>"
    )


def page(title: str, body: str, drawn: Sequence[Mapping[str, Any]]) -> str:
    """Return one HTML page that loads nothing.

    Parameters
    ----------
    title
        As HTML.
    body
        HTML below it, with an element of the class `plot` for each of the plots' ids.
    drawn
        The plots.
    """
    # Inside a script element only "</" could end the data early.
    data = json.dumps([{key: p[key] for key in ("id", "data", "layout")} for p in drawn])
    data = data.replace("</", "<\\/")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='icon' href='data:,'>"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{body}"
        f"<script type='application/json' id='plots'>{data}</script>"
        f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script></body></html>"
    )
