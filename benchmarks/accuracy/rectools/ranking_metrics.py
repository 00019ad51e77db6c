"""Check our ranking metrics against RecTools', on random lists.

Run by the Python that has RecTools, which wants an older numpy than gsr has, from the checkout:
`benchmarks/accuracy/rectools/.venv/bin/python -m benchmarks.accuracy.rectools.ranking_metrics`.
`--write` also renews the sample that gsr's own tests compare with.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from rectools import Columns
from rectools.metrics import MRR, NDCG, HitRate

from gsr.quality.ranking_metrics import CUTOFFS, METRICS, metric_values

SAMPLE: Final = Path(__file__).parents[3] / "tests" / "gsr" / "quality" / "rectools_metrics.json"
SAMPLE_USERS: Final = 60
ITEMS: Final = 50
TOLERANCE: Final = 1e-12


def rectools_values(
    lists: npt.NDArray[np.int64], targets: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return RecTools' value of every metric of `METRICS` for each of n users.

    Parameters
    ----------
    lists
        int64 [n, k], each user's recommendations, the best first.
    targets
        int64 [n], each user's one relevant item.

    Returns
    -------
    float64 [n, len(METRICS)]
    """
    users, length = lists.shape
    recommended = pd.DataFrame(
        {
            Columns.User: np.repeat(np.arange(users), length),
            Columns.Item: lists.ravel(),
            Columns.Rank: np.tile(np.arange(1, length + 1), users),
        }
    )
    wanted = pd.DataFrame({Columns.User: np.arange(users), Columns.Item: targets})
    metrics: dict[str, Any] = {}
    for cutoff in CUTOFFS:
        metrics[f"hr@{cutoff}"] = HitRate(cutoff)
        # Without this RecTools divides by what k relevant items would be worth.
        metrics[f"ndcg@{cutoff}"] = NDCG(cutoff, divide_by_achievable=True)
        metrics[f"mrr@{cutoff}"] = MRR(cutoff)
    columns = [metrics[name].calc_per_user(recommended, wanted) for name in METRICS]
    return np.column_stack([column.sort_index().to_numpy(dtype=np.float64) for column in columns])


def random_lists(
    rng: np.random.Generator, users: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return lists, targets, and the targets' ranks in them, 0 where a list lacks it."""
    every = np.tile(np.arange(ITEMS), (users, 1))
    lists = rng.permuted(every, axis=1)[:, : max(CUTOFFS) + 5]
    targets = rng.integers(0, ITEMS, users)
    found = lists == targets[:, None]
    ranks = np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0)
    return lists, targets, ranks.astype(np.int32)


def main() -> None:
    """Compare, and exit with 1 where a value differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    largest = 0.0
    for seed in range(given.seeds):
        lists, targets, ranks = random_lists(np.random.default_rng(seed), given.users)
        theirs = rectools_values(lists, targets)
        largest = max(largest, float(np.abs(metric_values(ranks) - theirs).max()))
    rectools = version("rectools")
    print(
        f"RecTools {rectools}: {given.seeds} times {given.users:,} users, {len(METRICS)} metrics, "
        f"largest difference {largest:.1e}"
    )
    if given.write:
        lists, targets, ranks = random_lists(np.random.default_rng(0), SAMPLE_USERS)
        values = rectools_values(lists, targets)
        sample = {
            "rectools": rectools,
            "ranks": ranks.tolist(),
            "values": {name: values[:, at].tolist() for at, name in enumerate(METRICS)},
        }
        SAMPLE.write_text(json.dumps(sample) + "\n")
        print(f"wrote {SAMPLE}")
    sys.exit(largest > TOLERANCE)


if __name__ == "__main__":
    main()
