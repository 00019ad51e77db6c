"""What the lists are like, whether right or not: the report's section beyond accuracy."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.offline.replay.report.tables import worded, worded_table
from consumers.offline.replay.report.words import setting
from gsr.baselines.column_names import column_settings, kind_of


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table.

    Parameters
    ----------
    key
        Of a model's figures, see `gsr.loop.list_watch.ListWatch.document`.
    name, words
        What it is called, and what it says, in one line.
    better
        Which values are the better ones.
    shown
        How a value is formatted.
    scale
        What it is multiplied with before.
    """

    key: str
    name: str
    words: str
    better: str
    shown: str
    scale: float = 1.0


MEASURES: Final = (
    Measure(
        "coverage",
        "Catalogue coverage",
        "share of all items that stand on at least one list",
        "higher is better",
        "{:.1%}",
    ),
    Measure(
        "gini",
        "Gini of exposure",
        "how unevenly the places fall to the items: 0 evenly, 1 always to the same one",
        "lower is better",
        "{:.3f}",
    ),
    Measure(
        "novelty_bits",
        "Novelty in bits",
        "how little known the shown items are: one bit more is half the clicks",
        "higher is less known, not better by itself",
        "{:.2f}",
    ),
    Measure(
        "popularity_lift",
        "Popularity lift",
        "how much more popular the shown items are than those that these users clicked",
        "near 0 is better",
        "{:+.1%}",
    ),
    Measure(
        "vector_diversity",
        "Diversity by vectors",
        "how unlike the items of a list are, 0 the same, 1 unrelated, by the joint model's "
        "vectors, which may favour or punish it",
        "higher is more varied, not better by itself",
        "{:.3f}",
    ),
    Measure(
        "neighbour_diversity",
        "Diversity by neighbours",
        "how unlike the items of a list are: 0 where the same items follow them, 1 where others do",
        "higher is more varied, not better by itself",
        "{:.3f}",
    ),
    Measure(
        "serendipity@20",
        "Serendipity, in 1/10,000",
        "hits, each by how far the list ranks it above its place by popularity",
        "higher is better",
        "{:.2f}",
        1e4,
    ),
)


def beyond_accuracy(document: Mapping[str, Any]) -> str:
    """Return a row for each measure and a column for each model; nothing where none was looked at.

    Parameters
    ----------
    document
        What `metrics.json` holds.
    """
    lists = document["lists"]
    if lists is None or not lists["looks"]:
        return ""
    models = lists["models"]
    rows = [
        (
            worded(measure.name, html.escape(f"{measure.words}; {measure.better}")),
            *(_value(figures.get(measure.key), measure) for figures in models.values()),
        )
        for measure in MEASURES
    ]
    fixed = "; ".join(f"{kind_of(name)} {words}" for name in models if (words := _setting(name)))
    which = (
        f" The baselines stand at fixed settings ({fixed}), because which are best is known only "
        "at the end."
        if fixed
        else ""
    )
    heads = ("", *(html.escape(kind_of(name)) for name in models))
    return (
        "<h2>Beyond accuracy</h2><p>What the lists are like, right or not; lists drawn by chance "
        f"would do well at some of this. Means over {lists['looks']:,} looks at the lists of "
        f"{lists['list_length']} items of the users who clicked last.{which}</p>"
        f"{worded_table(heads, rows, f'repeat({len(models)}, 1fr)')}"
    )


def _setting(column: str) -> str:
    return setting(column_settings(column))


def _value(value: float | None, measure: Measure) -> str:
    return "&ndash;" if value is None else measure.shown.format(measure.scale * value)
