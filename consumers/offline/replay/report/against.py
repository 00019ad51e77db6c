"""The report's first table: the joint model against each baseline, which one may have already."""

import html
from collections.abc import Mapping
from typing import Any, Final

from consumers.offline.replay.analysis import AGAINST_EACH
from consumers.offline.replay.report.tables import judged, worded, worded_table
from consumers.offline.replay.verdict import against_each

IN_WORDS: Final[Mapping[str, str]] = {
    "popularity": "what most people clicked lately",
    "graph": "what people click after the user's newest items",
    "mix": "a fixed mix of popularity and graph",
    "vsknn": "sessions like this one (session kNN)",
    "vstan": "sessions like this one, recent ones first (session kNN)",
    "vstan-after": "what came next in sessions like this one (session kNN)",
    "rules": "item-to-item rules",
    "item-knn": "items clicked by the same people (cosine)",
    "ranker": "a small network over all that the others count",
}
"""Baseline to what it is, for somebody who may run it."""


def against(document: Mapping[str, Any]) -> str:
    """Return a row for each baseline, the strongest first; nothing without baselines."""
    metrics = [{one["against"]: one for one in against_each(document, m)} for m in AGAINST_EACH]
    if not metrics[0]:
        return ""
    mine = document["overall"]["joint"]
    own = worded("joint", "the joint model of this replay")
    rows = [(own, *(text for metric in AGAINST_EACH for text in (f"{mine[metric]:.4f}", "")))]
    for name in metrics[0]:
        cells = [
            text
            for found in metrics
            for text in (f"{found[name]['mean_against']:.4f}", judged(found[name]))
        ]
        rows.append((worded(html.escape(name), html.escape(IN_WORDS.get(name, ""))), *cells))
    untimed = any(one["windows"] is None for one in metrics[0].values())
    few = " Here are too few windows of time to tell of others." if untimed else ""
    heads = [head for m in AGAINST_EACH for head in (m.upper(), "joint is")]
    return (
        "<h2>Against what you may have</h2><p>Each baseline hears the same clicks and is updated "
        "after every single one. Below each difference is its 95 % interval, the wider of two: "
        "had other users clicked, and had it been other times. Better or worse is what is beyond "
        "luck, corrected for the number of baselines (Holm); everything else is unclear."
        f"{few}</p>"
        f"{worded_table(('', *heads), rows, '3.8rem minmax(0, 1fr) 4.1rem minmax(0, 1fr)')}"
    )
