"""What a replay's case file says: quality by slice and over time, which differences are real."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain, islice, product
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from consumers.offline.replay.case_columns import (
    RANK_PREFIX,
    USER_GROUPS,
    models_in,
    open_replay_cases,
    user_groups,
)
from gsr.quality.ranking_metrics import (
    ITEM_SLICES,
    METRICS,
    USER_SLICES,
    metric_values,
    slice_numbers,
)
from gsr.quality.significance import DrawnInterval, holm, users_interval, windows_interval

COMPARED: Final = ("hr@20", "mrr@20", "ndcg@20")
"""Metrics whose differences are tested."""

AGAINST_EACH: Final = ("hr@20", "mrr@20")
"""Those of them in which the joint model is compared with every baseline."""

BATCH_ROWS: Final = 2**13
SAMPLES: Final = 2000
_KINDS: Final = {"users": USER_SLICES, "items": ITEM_SLICES}
_COLUMNS: Final = tuple(METRICS.index(name) for name in COMPARED)


class CaseSums:
    """Sums over the clicks of a case file; P parts: all clicks with a known user, then the slices.

    Parameters
    ----------
    models
        Names of the M models.
    window_seconds
        Length of a window of event time.

    Attributes
    ----------
    parts
        Name of each part: ("overall", ""), ("users", "0"), … .
    sums, counts
        float64 [P, M, len(METRICS)] and [P].
    groups, group_counts
        float64 [P, `USER_GROUPS`, M, len(COMPARED)] and [P, `USER_GROUPS`].
    windows
        Number of a window → its clicks, float64 [P], and sums, float64 [P, M, len(METRICS)].
    """

    def __init__(self, models: Sequence[str], window_seconds: float) -> None:
        self.models = tuple(models)
        self.window_seconds = window_seconds
        slices = [(kind, name) for kind, names in _KINDS.items() for name in names]
        self.parts = [("overall", ""), *slices]
        shape = (len(self.parts), len(self.models), len(METRICS))
        self.sums = np.zeros(shape)
        self.counts = np.zeros(shape[0])
        self.groups = np.zeros((shape[0], USER_GROUPS, shape[1], len(COMPARED)))
        self.group_counts = np.zeros((shape[0], USER_GROUPS))
        self.windows: dict[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows of the file."""
        ranks = np.stack([batch[RANK_PREFIX + name].to_numpy() for name in self.models], axis=1)
        values = metric_values(ranks)
        groups = user_groups(batch["user_id"])
        times = batch["time"].to_numpy()
        windows = np.floor_divide(times, self.window_seconds).astype(np.int64)
        user_clicks = batch["user_clicks"].to_numpy()
        user_slices = slice_numbers(user_clicks, USER_SLICES)
        item_slices = slice_numbers(batch["item_clicks"].to_numpy(), ITEM_SLICES)
        known = user_clicks > 0
        chosen = [known]
        chosen += [user_slices == number for number in range(len(USER_SLICES))]
        chosen += [known & (item_slices == number) for number in range(len(ITEM_SLICES))]
        for part, rows in enumerate(map(np.flatnonzero, chosen)):
            self.counts[part] += len(rows)
            self.sums[part] += values[rows].sum(axis=0)
            found, clicks, sums = _summed(groups[rows], values[rows][:, :, _COLUMNS])
            self.groups[part, found] += sums
            self.group_counts[part, found] += clicks
            for number, click, total in zip(*_summed(windows[rows], values[rows]), strict=True):
                empty = np.zeros(len(self.parts)), np.zeros_like(self.sums)
                into = self.windows.setdefault(int(number), empty)
                into[0][part] += click
                into[1][part] += total


def analyse(
    path: Path, *, window_seconds: float, samples: int = SAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Return what a case file says, as JSON values.

    Parameters
    ----------
    path
        The file, or a directory that holds `cases.parquet`.
    window_seconds
        Length of a window of event time.
    samples, seed
        Of the intervals.

    Returns
    -------
    ``models``; ``overall`` (clicks of users of whom something was known), each of ``slices``'
    "users" and "items", and ``windows``, with ``scored`` and model → metric → mean; and
    ``differences``: "overall", every model's to the strongest baseline; "baselines", the joint
    model's to each of them; "configurations", those of other configurations to the joint model;
    "slices", the joint model's to the strongest baseline in each slice. Where nothing was scored
    there are zeros and empty lists.

    Raises
    ------
    NotFoundError, ArtifactError
        See `open_replay_cases`.
    """
    with open_replay_cases(path) as file:
        models = models_in(file.schema_arrow)
        sums = CaseSums(models, window_seconds)
        columns = ["user_id", "time", "user_clicks", "item_clicks"]
        columns += [RANK_PREFIX + name for name in models]
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            sums.add(batch)
    slices: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    for part, (kind, name) in enumerate(sums.parts[1:], start=1):
        slices[kind][name] = _means(models, sums.counts[part], sums.sums[part])
    return {
        "models": models,
        "overall": _means(models, sums.counts[0], sums.sums[0]),
        "slices": slices,
        "windows": [
            {
                "start": number * window_seconds,
                "end": (number + 1) * window_seconds,
                **_means(models, clicks[0], totals[0]),
            }
            for number, (clicks, totals) in sorted(sums.windows.items())
            if clicks[0]
        ],
        "differences": _differences(sums, samples, np.random.default_rng(seed)),
    }


def is_joint(model: str) -> bool:
    """Return whether a model is the joint one, or another configuration of it."""
    return model == "joint" or model.startswith("joint:")


def _means(
    models: Sequence[str], count: float, sums: npt.NDArray[np.float64]
) -> dict[str, int | dict[str, float]]:
    means = sums / max(count, 1.0)
    found: dict[str, int | dict[str, float]] = {"scored": int(count)}
    for number, name in enumerate(models):
        found[name] = dict(zip(METRICS, means[number].tolist(), strict=True))
    return found


def _summed(
    keys: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the different keys, how many rows each has, and the sums of their values."""
    order = np.argsort(keys, kind="stable")
    found, firsts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    if not len(found):
        return found, counts, values[:0]
    return found, counts, np.add.reduceat(values[order], firsts, axis=0)


def _differences(
    sums: CaseSums, samples: int, rng: np.random.Generator
) -> dict[str, list[dict[str, Any]]]:
    """Return what `analyse` tells of differences."""
    names = ("overall", "baselines", "configurations", "slices")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    if not sums.counts[0]:
        return found
    baselines = [n for n, name in enumerate(sums.models) if not is_joint(name)]
    joint = [n for n, name in enumerate(sums.models) if name == "joint"]
    others = [n for n, name in enumerate(sums.models) if is_joint(name) and name != "joint"]
    parts = [part for part in range(1, len(sums.parts)) if sums.counts[part]]
    for place, column in enumerate(_COLUMNS):
        strongest = sorted(baselines, key=lambda n: -sums.sums[0, n, column])[:1]
        models = [n for n in range(len(sums.models)) if n not in strongest]
        wanted = {
            "overall": list(product(models, strongest)),
            "baselines": list(product(joint, baselines)),
            "configurations": list(product(others, joint)),
        }
        if COMPARED[place] not in AGAINST_EACH:
            wanted["baselines"] = []
        # Together, so that they are drawn once.
        tested = iter(_pairs(sums, 0, list(chain(*wanted.values())), place, samples, rng))
        for name, pairs in wanted.items():
            found[name] += _corrected(list(islice(tested, len(pairs))))
        pairs = list(product(joint, strongest))
        found["slices"] += _corrected(
            [
                one | {"kind": sums.parts[part][0], "slice": sums.parts[part][1]}
                for part in parts
                for one in _pairs(sums, part, pairs, place, samples, rng)
            ]
        )
    return found


def _pairs(
    sums: CaseSums,
    part: int,
    pairs: Sequence[tuple[int, int]],
    place: int,
    samples: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return the differences of pairs of models in one part and one metric of `COMPARED`."""
    if not pairs:
        return []
    column = _COLUMNS[place]
    models, rivals = map(list, zip(*pairs, strict=True))
    groups = sums.groups[part][:, :, place]
    windows = [totals for _, totals in sorted(sums.windows.items())]
    counts = np.array([clicks[part] for clicks, _ in windows])
    totals = np.array([total[part, :, column] for _, total in windows])
    over = {
        "users": users_interval(
            groups[:, models] - groups[:, rivals], sums.group_counts[part], samples=samples, rng=rng
        ),
        "windows": windows_interval(
            totals[:, models] - totals[:, rivals], counts, samples=samples, rng=rng
        ),
    }
    means = sums.sums[part, :, column] / sums.counts[part]
    return [
        {
            "model": sums.models[model],
            "against": sums.models[rival],
            "metric": COMPARED[place],
            "mean": float(means[model]),
            "mean_against": float(means[rival]),
            "difference": float(means[model] - means[rival]),
            "relative_gain": float(means[model] / means[rival] - 1) if means[rival] else None,
            **{kind: _interval(found, number) for kind, found in over.items()},
        }
        for number, (model, rival) in enumerate(pairs)
    ]


def _interval(found: Sequence[DrawnInterval] | None, number: int) -> dict[str, Any] | None:
    return None if found is None else asdict(found[number])


def _corrected(differences: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add the p-values that stand up to how many comparisons there are."""
    corrected = [dict(one) for one in differences]
    for kind in ("users", "windows"):
        tested = [one for one in corrected if one[kind] is not None]
        for one, p in zip(tested, holm([one[kind]["p_value"] for one in tested]), strict=True):
            one[kind] = one[kind] | {"p_corrected": p}
    return corrected
