"""The bare inner product: exact top k of all items, ours beside faiss and torch.

All get the same vectors, nothing is masked, and nobody has channels. Each is measured in a process
of its own, and must find what the others find.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.measuring import answer_of
from benchmarks.accuracy.retrieval_speed import Job, exactness
from benchmarks.stream_costs.rounds import ITEMS_NAME, USERS_NAME, answer, arguments_of_a_job

FOLDER: Final = Path(__file__).resolve().parent
FAISS: Final = FOLDER / "faiss" / ".venv" / "bin" / "python"
CONTENDERS: Final = ("ours", "torch", "faiss")
TORCH_USERS: Final = 128
"""Users that torch scores at once: the scores of more would not fit into memory."""
TOLERANCE: Final = 1e-4
"""How far scores may differ that are added up in another order."""

Lists = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductsCase:
    """What is measured.

    Parameters
    ----------
    items, users, dimension, k
        Sizes.
    threads
        Of each contender.
    rounds
        That are measured, of all users each, after a few users that are not.
    """

    items: int
    users: int
    dimension: int
    k: int
    threads: int
    rounds: int


class ContenderError(Exception):
    """A contender is not there, or has found other items than the others."""


def measure_products(case: ProductsCase, directory: Path | None = None) -> dict[str, Any]:
    """Measure all contenders, one after the other.

    Raises
    ------
    ContenderError
        Their lists differ, or faiss is not installed.
    """
    if not FAISS.exists():
        raise ContenderError(
            "faiss is not installed: run python -m benchmarks.stream_costs.install, or leave "
            "the products out (--only learning lists)"
        )
    with tempfile.TemporaryDirectory(dir=directory, prefix="gsr-bench-") as name:
        folder = Path(name)
        job = Job(case.items, case.users, case.dimension, case.k, history=0)
        np.save(folder / ITEMS_NAME, job.items)
        np.save(folder / USERS_NAME, job.users)
        answers = {one: answer_of(command(one, case, folder), case.threads) for one in CONTENDERS}
        agreement = agreements({one: lists_of(folder / f"{one}.npz") for one in CONTENDERS})
    return {**answers, "agreement_with_ours": agreement, "ratios": ratios(answers)}


def command(contender: str, case: ProductsCase, folder: Path) -> list[str]:
    """Return what starts a contender's process."""
    words = [f"--{name}={getattr(case, name)}" for name in ("k", "rounds", "threads")]
    words.append(f"--lists={folder / contender}.npz")
    if contender == "faiss":
        return [str(FAISS), "-m", "benchmarks.stream_costs.faiss.job", str(folder), *words]
    words += [f"--{name}={getattr(case, name)}" for name in ("items", "users", "dimension")]
    return [sys.executable, "-m", __name__, contender, *words]


def lists_of(path: Path) -> Lists:
    """Return what a contender has found."""
    with np.load(path) as found:
        return found["rows"], found["scores"]


def agreements(lists: Mapping[str, Lists]) -> dict[str, dict[str, float]]:
    """Return how far each contender's lists are ours.

    Raises
    ------
    ContenderError
        The scores of one differ by more than rounding.

    Examples
    --------
    >>> same = np.array([[1, 2]]), np.array([[2.0, 1.0]], np.float32)
    >>> agreements({"ours": same, "faiss": same})["faiss"]["identical_lists"]
    1.0
    """
    found = {
        name: exactness(*lists["ours"], *theirs) for name, theirs in lists.items() if name != "ours"
    }
    for name, one in found.items():
        if not one["largest_score_difference"] <= TOLERANCE:
            raise ContenderError(f"{name} has found other items than ours: {one}")
    return found


def ratios(answers: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return how many times the users of each other contender ours answers.

    >>> fast, slow = ({"users_per_second": r, "users_per_cpu_second": r} for r in (3.0, 2.0))
    >>> ratios({"ours": fast, "torch": slow})["torch"]["users_per_second"]
    1.5
    """
    units = ("users_per_second", "users_per_cpu_second")
    return {
        name: {unit: round(answers["ours"][unit] / one[unit], 3) for unit in units}
        for name, one in answers.items()
        if name != "ours"
    }


def main() -> None:
    """Be measured: ours, or torch."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("contender", choices=("ours", "torch"))
    for size in ("items", "users", "dimension"):
        parser.add_argument(f"--{size}", type=int, required=True)
    arguments_of_a_job(parser)
    given = parser.parse_args()
    job = Job(given.items, given.users, given.dimension, given.k, history=0)
    search = job.torch(TORCH_USERS) if given.contender == "torch" else job.ours(scales=0)
    print(json.dumps(answer(search, given.users, given)))


if __name__ == "__main__":
    main()
