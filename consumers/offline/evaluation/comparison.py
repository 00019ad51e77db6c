"""`gsr compare`: by how much one run ranks better than another, and whether that is luck."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from consumers.errors import ConfigError
from consumers.offline.evaluation.case_files import CaseTable, Graph, Part, read_cases
from gsr.quality.ranking_metrics import METRICS, metric_values
from gsr.quality.significance import paired_bootstrap


def compare_runs(
    a: Path,
    b: Path,
    *,
    metrics: Sequence[str],
    samples: int,
    seed: int,
    part: Part = "test",
    graphs: tuple[Graph, Graph] = ("frozen", "frozen"),
) -> dict[str, Any]:
    """Compare two runs on the same targets, by the paired bootstrap over users.

    A user's values under several seeds are averaged first, so that seeds do not pass for users.

    Parameters
    ----------
    a, b
        What `gsr evaluate` wrote: directories, or files of ranks.
    metrics
        Of `gsr.quality.ranking_metrics.METRICS`.
    samples, seed
        Of the bootstrap.
    part
        Which targets.
    graphs
        Which of either run's graphs.

    Returns
    -------
    JSON values: what was compared, and a `gsr.quality.significance.PairedDifference` per metric.

    Raises
    ------
    ConfigError
        There is no such metric, or the runs cannot be compared: protocol, data or targets differ.
    NotFoundError, ArtifactError
        See `read_cases`.
    """
    check_metrics(metrics)
    first, second = read_cases(a, part, graphs[0]), read_cases(b, part, graphs[1])
    _check_identity(first, second)
    users_a, users_b = _by_user(first), _by_user(second)
    _check_targets(first, users_a, second, users_b)
    values_a, values_b = _user_values(first, users_a), _user_values(second, users_b)
    found = {}
    for name in metrics:
        column = METRICS.index(name)
        difference = paired_bootstrap(
            values_a[:, column],
            values_b[:, column],
            samples=samples,
            rng=np.random.default_rng(seed),
        )
        found[name] = asdict(difference)
    return {
        "a": {"path": str(a), "graph": graphs[0], "seeds": np.unique(first.seeds).tolist()},
        "b": {"path": str(b), "graph": graphs[1], "seeds": np.unique(second.seeds).tolist()},
        "part": part,
        "users": len(values_a),
        "samples": samples,
        "seed": seed,
        "metrics": found,
    }


def check_metrics(names: Sequence[str]) -> None:
    """Refuse names of metrics that there are not.

    Raises
    ------
    ConfigError
        Says which, and which there are.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise ConfigError(f"no such metric: {', '.join(unknown)}; there are {', '.join(METRICS)}")


def _check_identity(a: CaseTable, b: CaseTable) -> None:
    """Refuse runs whose files say that they were not asked the same."""
    if a.identity is None or b.identity is None:
        return
    for what in ("protocol", "data"):
        differing = _differing(a.identity.get(what, {}), b.identity.get(what, {}))
        if differing:
            raise ConfigError(
                f"cannot compare {a.path} with {b.path}: they differ in {what} "
                f"({'; '.join(differing)}). Evaluate both alike."
            )


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {a.get(name)} and {b.get(name)}"
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def _by_user(table: CaseTable) -> npt.NDArray[np.int64]:
    """Return int64 [U, seeds], each user's rows, by user id and seed.

    Raises
    ------
    ConfigError
        Not every user has one row for every seed.
    """
    _, users = np.unique(table.user_ids, return_inverse=True)
    _, seeds = np.unique(table.seeds, return_inverse=True)
    order = np.lexsort((seeds, users))
    shape = (int(users.max()) + 1, int(seeds.max()) + 1)
    complete = np.arange(shape[0] * shape[1])
    if not np.array_equal(users[order] * shape[1] + seeds[order], complete):
        raise ConfigError(f"{table.path} does not hold one rank for every user and seed")
    return order.reshape(shape)


def _check_targets(
    a: CaseTable,
    rows_a: npt.NDArray[np.int64],
    b: CaseTable,
    rows_b: npt.NDArray[np.int64],
) -> None:
    """Refuse runs that predicted different items, or for different users."""
    refused = f"cannot compare {a.path} with {b.path}: "
    all_a, all_b = set(a.user_ids), set(b.user_ids)
    only_a, only_b = len(all_a - all_b), len(all_b - all_a)
    if only_a or only_b:
        raise ConfigError(
            f"{refused}{only_a:,} users are only in the first, {only_b:,} only in the second"
        )
    targets_a, targets_b = a.item_ids[rows_a], b.item_ids[rows_b]
    seeds_a, seeds_b = a.seeds[rows_a[0]], b.seeds[rows_b[0]]
    if not np.array_equal(seeds_a, seeds_b):
        if (targets_a != targets_a[:, :1]).any() or (targets_b != targets_b[:, :1]).any():
            raise ConfigError(
                f"{refused}targets depend on the seed, and the seeds differ "
                f"({seeds_a.tolist()} and {seeds_b.tolist()}). Evaluate both with the same seeds."
            )
        targets_a, targets_b = targets_a[:, :1], targets_b[:, :1]
    different = int((targets_a != targets_b).any(axis=1).sum())
    if different:
        raise ConfigError(
            f"{refused}{different:,} of {len(targets_a):,} users have other targets: the runs "
            "were split or ordered differently"
        )


def _user_values(table: CaseTable, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return float64 [U, len(METRICS)], averaged over seeds."""
    means: npt.NDArray[np.float64] = metric_values(table.ranks)[rows].mean(axis=1)
    return means
