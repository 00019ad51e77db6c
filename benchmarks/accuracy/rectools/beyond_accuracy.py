"""Check our metrics beyond accuracy against RecTools', on random lists of unequal length.

Run by the Python that has RecTools, as `benchmarks.accuracy.rectools.ranking_metrics` is; `--write`
also renews the sample that gsr's own tests compare with.
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
from rectools.metrics import (
    AvgRecPopularity,
    CatalogCoverage,
    IntraListDiversity,
    MeanInvUserFreq,
    Serendipity,
)
from rectools.metrics.distances import PairwiseDistanceCalculator

from gsr.quality.beyond_accuracy import (
    catalogue_coverage,
    recommended_popularity,
    self_information,
    vector_diversity,
)
from gsr.quality.beyond_accuracy_of_hits import PopularityScale, serendipity

SAMPLE: Final = (
    Path(__file__).parents[3] / "tests" / "gsr" / "quality" / "rectools_beyond_accuracy.json"
)
SAMPLE_USERS: Final = 40
ITEMS: Final = 30
LENGTH: Final = 8
DIMENSION: Final = 4
TOLERANCE: Final = 1e-12

World = dict[str, npt.NDArray[Any]]


class CosineDistances(PairwiseDistanceCalculator):  # type: ignore[misc]  # RecTools is untyped here
    """Cosine distances of item vectors, which RecTools leaves to its users."""

    def __init__(self, vectors: npt.NDArray[np.float64]) -> None:
        self._units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _get_distances_for_item_pairs(
        self, items_0: npt.NDArray[np.int64], items_1: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        left, right = self._units[items_0.astype(int)], self._units[items_1.astype(int)]
        distances: npt.NDArray[np.float64] = 1.0 - (left * right).sum(axis=1)
        return distances


def random_world(rng: np.random.Generator, users: int) -> World:
    """Return what the metrics are computed of.

    Returns
    -------
    ``lists`` int64 [U, k], -1 where one is shorter, none empty; ``full_lists``, of k items each;
    ``targets`` int64 [U]; ``clicks`` bool [U, N], who clicked what before; ``vectors`` float32
    [N, d].
    """
    full = rng.permuted(np.tile(np.arange(ITEMS), (users, 1)), axis=1)[:, :LENGTH]
    lengths = rng.integers(1, LENGTH + 1, users)
    # The last items have no click at all.
    taste = np.append(1.0 / np.arange(1.0, ITEMS - 2.0), np.zeros(3))
    return {
        "lists": np.where(np.arange(LENGTH) < lengths[:, None], full, -1),
        "full_lists": full,
        "targets": rng.integers(0, ITEMS, users),
        "clicks": (rng.random((users, ITEMS)) < taste) | (np.arange(ITEMS) == 0),
        "vectors": rng.normal(size=(ITEMS, DIMENSION)).astype(np.float32),
    }


def our_values(world: World) -> dict[str, npt.NDArray[np.float64]]:
    """Return our value of each metric for each user; of coverage, one."""
    lists, full, clicks = world["lists"], world["full_lists"], world["clicks"]
    counts = clicks.sum(axis=0)
    found = full == world["targets"][:, None]
    ranks = np.where(found.any(axis=1), found.argmax(axis=1) + 1, 0).astype(np.int32)
    popular = PopularityScale(counts).ranks(counts[world["targets"]])
    return {
        "coverage": np.array([catalogue_coverage(lists, np.ones(ITEMS, dtype=np.bool_))]),
        "novelty": self_information(lists, counts, len(clicks)),
        "popularity": recommended_popularity(lists, counts.astype(np.float64)),
        "diversity": vector_diversity(lists, world["vectors"]),
        "serendipity": serendipity(ranks[:, None], popular, ITEMS, LENGTH)[:, 0],
    }


def rectools_values(world: World) -> dict[str, npt.NDArray[np.float64]]:
    """Return the same, as RecTools computes it."""
    lists, full = _frame(world["lists"]), _frame(world["full_lists"])
    users, items = np.nonzero(world["clicks"])
    before = pd.DataFrame({Columns.User: users, Columns.Item: items})
    wanted = pd.DataFrame(
        {Columns.User: np.arange(len(world["targets"])), Columns.Item: world["targets"]}
    )
    distances = CosineDistances(world["vectors"].astype(np.float64))
    everything = range(ITEMS)
    by_user = {
        "novelty": MeanInvUserFreq(LENGTH).calc_per_user(lists, before),
        "popularity": AvgRecPopularity(LENGTH).calc_per_user(lists, before),
        "diversity": IntraListDiversity(LENGTH, distances).calc_per_user(lists),
        "serendipity": Serendipity(LENGTH).calc_per_user(full, wanted, before, everything),
    }
    coverage = CatalogCoverage(LENGTH, normalize=True).calc(lists, everything)
    return {"coverage": np.array([coverage])} | {
        name: values.sort_index().to_numpy(dtype=np.float64) for name, values in by_user.items()
    }


def _frame(lists: npt.NDArray[np.int64]) -> Any:
    users, places = np.nonzero(lists >= 0)
    return pd.DataFrame(
        {Columns.User: users, Columns.Item: lists[users, places], Columns.Rank: places + 1}
    )


def main() -> None:
    """Compare, and exit with 1 where a value differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    largest: dict[str, float] = {}
    for seed in range(given.seeds):
        world = random_world(np.random.default_rng(seed), given.users)
        ours, theirs = our_values(world), rectools_values(world)
        for name, values in ours.items():
            difference = float(np.abs(values - theirs[name]).max())
            largest[name] = max(largest.get(name, 0.0), difference)
    rectools = version("rectools")
    print(f"RecTools {rectools}: {given.seeds} times {given.users:,} users, largest differences")
    for name, difference in largest.items():
        print(f"  {name}: {difference:.1e}")
    if given.write:
        world = random_world(np.random.default_rng(0), SAMPLE_USERS)
        sample = {
            "rectools": rectools,
            "world": {name: values.astype(float).tolist() for name, values in world.items()},
            "values": {name: values.tolist() for name, values in rectools_values(world).items()},
        }
        SAMPLE.write_text(json.dumps(sample) + "\n")
        print(f"wrote {SAMPLE}")
    sys.exit(max(largest.values()) > TOLERANCE)


if __name__ == "__main__":
    main()
