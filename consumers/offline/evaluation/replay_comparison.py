"""`gsr compare` of replays: one model against another on the same scored clicks."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from consumers.errors import ConfigError
from consumers.offline.evaluation.case_files import identity_in
from consumers.offline.evaluation.comparison import check_metrics
from consumers.offline.replay.case_columns import (
    RANK_PREFIX,
    USER_GROUPS,
    models_in,
    open_replay_cases,
    user_groups,
)
from gsr.quality.ranking_metrics import METRICS, metric_values
from gsr.quality.significance import holm, users_interval, windows_interval

STRETCHES: Final = 100
"""Stretches of equally many clicks that stand for windows of time."""

_PAIRED: Final = ("offset", "user_id", "item_id")


def compare_replays(
    a: Path,
    b: Path,
    *,
    model: str,
    against: str,
    metrics: Sequence[str],
    samples: int,
    seed: int,
) -> dict[str, Any]:
    """Compare b's `model` with a's `against`, click by click; `a` and `b` may be the same.

    Parameters
    ----------
    a, b
        What `gsr replay` wrote: directories, or case files.
    model, against
        Names of models.
    metrics
        Of `gsr.quality.ranking_metrics.METRICS`.
    samples, seed
        Of the intervals.

    Returns
    -------
    JSON values: what was compared and, per metric, means, their difference, and a
    `gsr.quality.significance.DrawnInterval` over users and one over stretches of time, either with
    a p-value corrected for how many metrics there are; None where there are too few.

    Raises
    ------
    ConfigError
        No such metric or model; or the replays scored other clicks.
    NotFoundError, ArtifactError
        See `open_replay_cases`.
    """
    check_metrics(metrics)
    if a.resolve() == b.resolve() and model == against:
        raise ConfigError(f"{model} would be compared with itself: name another with --against")
    with ExitStack() as stack:
        first = stack.enter_context(open_replay_cases(a))
        second = stack.enter_context(open_replay_cases(b))
        _check(a, first, against)
        _check(b, second, model)
        _check_pairs(a, first, b, second)
        clicks, sums, groups, stretches = _sums(a, first, against, b, second, model)
    if not clicks:
        raise ConfigError(f"{a} holds no scored click of a known user: there is nothing to compare")
    columns = [METRICS.index(name) for name in metrics]
    rng = np.random.default_rng(seed)
    intervals = {
        kind: draw(found[:, columns], found[:, -1], samples=samples, rng=rng)
        for kind, draw, found in (
            ("users", users_interval, groups),
            ("windows", windows_interval, stretches),
        )
    }
    corrected = {
        kind: None if found is None else holm([one.p_value for one in found])
        for kind, found in intervals.items()
    }
    document: dict[str, Any] = {}
    for place, (name, column) in enumerate(zip(metrics, columns, strict=True)):
        mean_a, mean_b = (sums[:, column] / clicks).tolist()
        document[name] = {
            "mean_a": mean_a,
            "mean_b": mean_b,
            "difference": mean_b - mean_a,
            "relative_gain": (mean_b - mean_a) / mean_a if mean_a else None,
        }
        for kind, found in intervals.items():
            p = corrected[kind]
            document[name][kind] = (
                None
                if found is None or p is None
                else asdict(found[place]) | {"p_corrected": p[place]}
            )
    return {
        "a": {"path": str(a), "model": against},
        "b": {"path": str(b), "model": model},
        "clicks": clicks,
        "samples": samples,
        "seed": seed,
        "metrics": document,
    }


def _check(path: Path, file: pq.ParquetFile, model: str) -> None:
    models = models_in(file.schema_arrow)
    if model not in models:
        raise ConfigError(f"{path} has no model {model}; there are {', '.join(models)}")


def _check_pairs(a: Path, first: pq.ParquetFile, b: Path, second: pq.ParquetFile) -> None:
    """Refuse replays that say that they were not asked the same, or scored other numbers."""
    told = [identity_in(file.schema_arrow) or {} for file in (first, second)]
    if all(told) and told[0].get("data") != told[1].get("data"):
        raise ConfigError(f"cannot compare {a} with {b}: they replayed other events")
    rows = [file.metadata.num_rows for file in (first, second)]
    if rows[0] != rows[1]:
        raise ConfigError(
            f"cannot compare {a} with {b}: they scored other clicks, {rows[0]:,} and {rows[1]:,}. "
            "Replay the same events with the same warm-up and rules of repeats."
        )


def _sums(
    a: Path, first: pq.ParquetFile, against: str, b: Path, second: pq.ParquetFile, model: str
) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return clicks, both models' sums, and differences by user group and by stretch.

    The last column of the differences counts clicks.
    """
    clicks, row = 0, 0
    sums = np.zeros((2, len(METRICS)))
    groups = np.zeros((USER_GROUPS, len(METRICS) + 1))
    stretches = np.zeros((STRETCHES, len(METRICS) + 1))
    total = max(first.metadata.num_rows, 1)
    for number in range(first.num_row_groups):
        left = first.read_row_group(number, [*_PAIRED, "user_clicks", RANK_PREFIX + against])
        right = second.read_row_group(number, [*_PAIRED, RANK_PREFIX + model])
        if any(not left[name].equals(right[name]) for name in _PAIRED):
            raise ConfigError(
                f"cannot compare {a} with {b}: they scored other clicks. Replay the same events "
                "with the same warm-up and rules of repeats."
            )
        known = left["user_clicks"].to_numpy() > 0
        values = [
            metric_values(table[RANK_PREFIX + name].to_numpy()[known])
            for table, name in ((left, against), (right, model))
        ]
        clicks += len(values[0])
        sums += [value.sum(axis=0) for value in values]
        rows = np.column_stack((values[1] - values[0], np.ones(len(values[0]))))
        users = user_groups(left["user_id"])[known]
        here = (row + np.flatnonzero(known)) * STRETCHES // total
        for column in range(rows.shape[1]):
            groups[:, column] += np.bincount(users, rows[:, column], USER_GROUPS)
            stretches[:, column] += np.bincount(here, rows[:, column], STRETCHES)
        row += len(known)
    return clicks, sums, groups, stretches
