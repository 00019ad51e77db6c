"""Prequential (test-then-train) quality: sums of ranking metrics, and the newest ranks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.quality.ranking_metrics import METRICS, rank_sums

NEW_USER_CLICKS: Final = 3
"""A user is new while they have made fewer clicks than this before the one that is scored."""

SLICES: Final = ("new_users", "new_items")


class Tally:
    """Sums of metrics over scored clicks, for M models.

    Parameters
    ----------
    models
        How many.
    """

    __slots__ = ("scored", "sums")

    def __init__(self, models: int) -> None:
        self.scored = 0
        self.sums: npt.NDArray[np.float64] = np.zeros((models, len(METRICS)))

    def add(self, ranks: npt.NDArray[np.int32]) -> None:
        """Add clicks; `ranks` is int32 [n, M]."""
        if len(ranks):
            self.scored += len(ranks)
            self.sums += rank_sums(ranks)

    def means(self, model: int) -> dict[str, float]:
        """Return each metric's mean; zeros where nothing was scored."""
        scored = max(self.scored, 1)
        return dict(zip(METRICS, (self.sums[model] / scored).tolist(), strict=True))


class Prequential:
    """Quality of several models on the same clicks.

    Parameters
    ----------
    models
        Their names, in the order of the columns of every `ranks`.

    Examples
    --------
    >>> quality = Prequential(["joint", "popularity"])
    >>> quality.add(np.array([[1, 3], [8, 40]], dtype=np.int32))
    >>> quality.overall.means(0)["hr@5"], quality.best(["joint", "popularity"])
    (0.5, 'joint')
    """

    def __init__(self, models: Sequence[str]) -> None:
        self.models = tuple(models)
        self.overall = Tally(len(self.models))

    def add(self, ranks: npt.NDArray[np.int32]) -> None:
        """Add n scored clicks.

        Parameters
        ----------
        ranks
            int32 [n, M], from 1; `MISS` for an item that nobody had clicked before.
        """
        self.overall.add(ranks)

    def best(self, candidates: Sequence[str], metric: str = "mrr@20") -> str:
        """Return which of `candidates` has the highest overall `metric`; the first of equals."""
        column = METRICS.index(metric)
        return max(candidates, key=lambda name: self.overall.sums[self.models.index(name), column])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; `restore` reads it."""
        tally = {"scored": self.overall.scored, "sums": self.overall.sums.tolist()}
        return {"models": list(self.models), "tallies": {"overall": tally}}

    def restore(self, stored: Mapping[str, Any]) -> bool:
        """Take over what `to_dict` returned; refuse, returning False, where the models differ."""
        if tuple(stored["models"]) != self.models:
            return False
        tally = stored["tallies"]["overall"]
        self.overall.scored = int(tally["scored"])
        self.overall.sums = np.array(tally["sums"], dtype=np.float64)
        return True


class RecentRanks:
    """The ranks of the newest scored clicks, for means of recent quality.

    Parameters
    ----------
    models
        As in `Prequential`.
    size
        How many clicks.
    """

    def __init__(self, models: Sequence[str], size: int) -> None:
        self.models = tuple(models)
        self._size = size
        self._ranks = np.zeros((0, len(self.models)), dtype=np.int32)
        self._slices = {name: np.zeros(0, dtype=np.bool_) for name in SLICES}

    def __len__(self) -> int:
        return len(self._ranks)

    def add(
        self,
        ranks: npt.NDArray[np.int32],
        *,
        new_users: npt.NDArray[np.bool_],
        new_items: npt.NDArray[np.bool_],
    ) -> None:
        """Add n clicks; columns as in `Prequential.add`."""
        self._ranks = np.concatenate((self._ranks, ranks))[-self._size :]
        for name, chosen in zip(SLICES, (new_users, new_items), strict=True):
            self._slices[name] = np.concatenate((self._slices[name], chosen))[-self._size :]

    def means(self, model: str, part: str | None = None) -> dict[str, float]:
        """Return a model's mean metrics, of all clicks or of one of `SLICES`."""
        ranks = self._ranks if part is None else self._ranks[self._slices[part]]
        tally = Tally(1)
        column = self.models.index(model)
        tally.add(ranks[:, column : column + 1])
        return tally.means(0)
