"""The baselines: how each is started, and the settings among which validation chooses."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FOLDER: Final = Path(__file__).resolve().parent
RECTOOLS: Final = FOLDER / "rectools" / ".venv" / "bin" / "python"
IMPLICIT: Final = FOLDER / "implicit" / ".venv" / "bin" / "python"
OURS: Final = Path(sys.executable)

SHORTEST: Final = 10
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Statistics:
    """What settings may be derived from.

    Parameters
    ----------
    lengths
        int64 [U], clicks of each user that may be learned from.
    item_count
        N.
    """

    lengths: npt.NDArray[np.int64]
    item_count: int

    @property
    def usual_length(self) -> int:
        """A length in tens, 10 to 200, that hardly cuts 19 users in 20."""
        reached = int(np.quantile(self.lengths, 0.95)) if len(self.lengths) else 0
        return min(max(-(-reached // 10) * 10, SHORTEST), LONGEST)


Candidates = Callable[[Statistics], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A baseline.

    Parameters
    ----------
    what
        For people.
    python
        The interpreter that has its library.
    words
        The module that does a trial, and its arguments before the trial's folder.
    candidates
        Returns the settings to try.
    random
        Whether seeds make a difference.
    """

    what: str
    python: Path
    words: tuple[str, ...]
    candidates: Candidates
    random: bool = True


def nothing_to_choose(_: Statistics) -> list[dict[str, Any]]:
    """Return the only settings of a model that has none."""
    return [{}]


def neighbourhoods(_: Statistics) -> list[dict[str, Any]]:
    """Return weightings, numbers of neighbours, and how much less each step back counts."""
    return [
        {"weighting": weighting, "neighbours": neighbours, "decay": decay}
        for weighting in ("cosine", "tf-idf", "bm25")
        for neighbours in (50, 200, 1000)
        for decay in (1.0, 0.8, 0.6, 0.4)
    ]


def _transformers(statistics: Statistics, **settings: Any) -> list[dict[str, Any]]:
    """Return shapes of a transformer: RecTools' defaults, but for what depends on the data."""
    return [
        {
            "n_blocks": 2,
            "n_heads": 2,
            "n_factors": 128,
            "session_max_len": statistics.usual_length,
            "batch_size": 128,
            "lr": 1e-3,
            "dropout_rate": dropout,
            **settings,
        }
        for dropout in (0.5, 0.2)
    ]


def sasrec(statistics: Statistics) -> list[dict[str, Any]]:
    """Return SASRec's: softmax over many negatives, which costs less than over the catalogue."""
    return _transformers(statistics, loss="sampled_softmax", n_negatives=256)


def esasrec(statistics: Statistics) -> list[dict[str, Any]]:
    """Return eSASRec's: SASRec with LiGR's gated blocks and the same loss (arXiv 2508.06450)."""
    return [{**settings, "layers": "ligr"} for settings in sasrec(statistics)]


def bert4rec(statistics: Statistics) -> list[dict[str, Any]]:
    """Return BERT4Rec's: softmax over the catalogue, few positions of which have a loss."""
    return _transformers(statistics, loss="softmax", mask_prob=0.2)


def mrgsrec(statistics: Statistics) -> list[dict[str, Any]]:
    """Return the released settings, and where most histories are far longer, their length.

    A step then takes fewer users, so that it has as many positions as the released one.
    """
    released: list[dict[str, Any]] = [{"length": 10, "batch_size": 256}]
    length = statistics.usual_length
    if length <= 2 * released[0]["length"]:
        return released
    return [*released, {"length": length, "batch_size": 2560 // length}]


RECTOOLS_JOB: Final = "benchmarks.accuracy.rectools.job"

CONTENDERS: Final = {
    "popularity": Contender(
        what="RecTools, how many users clicked an item",
        python=RECTOOLS,
        words=(RECTOOLS_JOB, "popular"),
        candidates=nothing_to_choose,
        random=False,
    ),
    "item-knn": Contender(
        what="implicit, nearest neighbours of the clicked items",
        python=IMPLICIT,
        words=("benchmarks.accuracy.implicit.job",),
        candidates=neighbourhoods,
        random=False,
    ),
    "sasrec": Contender(
        what="RecTools, SASRec with a sampled softmax",
        python=RECTOOLS,
        words=(RECTOOLS_JOB, "sasrec"),
        candidates=sasrec,
    ),
    "esasrec": Contender(
        what="RecTools, eSASRec: SASRec with gated blocks",
        python=RECTOOLS,
        words=(RECTOOLS_JOB, "sasrec"),
        candidates=esasrec,
    ),
    "bert4rec": Contender(
        what="RecTools, BERT4Rec with a full softmax",
        python=RECTOOLS,
        words=(RECTOOLS_JOB, "bert4rec"),
        candidates=bert4rec,
    ),
    "mrgsrec": Contender(
        what="MRGSRec from the paper, its leaks closed",
        python=OURS,
        words=("benchmarks.accuracy.mrgsrec.job",),
        candidates=mrgsrec,
    ),
}
