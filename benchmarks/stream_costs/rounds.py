"""Rounds of a retrieval that is timed, in its own process. Imports numpy only."""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline_process import Stopwatch

ITEMS_NAME: Final = "items.npy"
USERS_NAME: Final = "users.npy"
WARM_USERS: Final = 64

Search = Callable[[slice], tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]
"""Users, as rows → item rows and scores, both [n, k], best first."""


def arguments_of_a_job(parser: argparse.ArgumentParser) -> None:
    """Add what every contender's process must be told."""
    parser.add_argument("--k", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--lists", type=Path, required=True, help="where the lists are kept")


def answer(search: Search, users: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Search for all users in every round; keep the lists, and return medians over the rounds."""
    search(slice(0, min(WARM_USERS, users)))
    watches = []
    for _ in range(arguments.rounds):
        with Stopwatch() as watch:
            rows, scores = search(slice(0, users))
        watches.append(watch)
    np.savez(arguments.lists, rows=rows, scores=scores)
    return {
        "users": users,
        "rounds": len(watches),
        "threads": arguments.threads,
        "users_per_second": round(users / median(watch.seconds for watch in watches), 1),
        "users_per_cpu_second": round(users / median(watch.cpu_seconds for watch in watches), 1),
    }
