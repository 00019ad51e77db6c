"""What a replay by windows writes: every figure, beside those that others have published."""

from collections.abc import Mapping
from typing import Any, Final

from consumers.offline.windows.baselines import best_columns
from consumers.offline.windows.options import PROTOCOLS

UNPUBLISHED_METRICS: Final = ("mrr@20", "hr@20", "ndcg@20")
"""Shown where a log follows no published protocol; the first chooses, as in every replay."""


def window_result(document: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    """Return the content of `metrics.json`.

    Of each kind of baseline the column that is best over the windows of a mode is shown: the one
    with the highest first metric, chosen on the scored cases themselves.

    Parameters
    ----------
    document
        What `replay_windows` found.
    protocol
        One of `PROTOCOLS`, or "windows".

    Returns
    -------
    The document with the `protocol`; `metrics` that are compared, the first of which chooses;
    `shown`, each mode's kinds of models with the column of each; `source` and `published`, the
    rows of others; and in `windows` the shown columns only.
    """
    known = PROTOCOLS.get(protocol)
    metrics = UNPUBLISHED_METRICS if known is None else known.metrics
    shown = {
        mode: best_columns(means, metrics[0]) for mode, means in document["over_windows"].items()
    }
    return {
        **document,
        "protocol": protocol,
        "metrics": list(metrics),
        "shown": shown,
        "source": None if known is None else known.source,
        "published": {} if known is None else known.rows(),
        "windows": [_short(window, shown) for window in document["windows"]],
    }


def _short(window: Mapping[str, Any], shown: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a window with the shown columns of each mode alone."""
    return {
        **window,
        **{
            mode: {"cases": window[mode]["cases"]}
            | {
                column: window[mode][column]
                for column in columns.values()
                if column in window[mode]
            }
            for mode, columns in shown.items()
        },
    }
