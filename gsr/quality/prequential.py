"""Prequential (test-then-train) quality: sums of ranking metrics overall, by slice and by time."""

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
    """Quality of several models on the same clicks: overall, for new users and items, over time.

    Parameters
    ----------
    models
        Their names, in the order of the columns of every `ranks`.
    window_seconds
        Length of a window of event time.
    windows_kept
        How many windows to remember, the newest; None: all.

    Examples
    --------
    >>> quality = Prequential(["joint", "popularity"], window_seconds=3600.0)
    >>> quality.add(
    ...     np.array([10.0, 20.0]),
    ...     np.array([[1, 3], [8, 40]], dtype=np.int32),
    ...     new_users=np.array([True, False]),
    ...     new_items=np.array([False, False]),
    ... )
    >>> quality.overall.means(0)["hr@5"], quality.slices["new_users"].means(1)["hr@5"]
    (0.5, 1.0)
    """

    def __init__(
        self, models: Sequence[str], window_seconds: float, windows_kept: int | None = None
    ) -> None:
        self.models = tuple(models)
        self.window_seconds = window_seconds
        self.overall = Tally(len(self.models))
        self.slices = {name: Tally(len(self.models)) for name in SLICES}
        self.windows: dict[int, Tally] = {}
        self._windows_kept = windows_kept

    def add(
        self,
        times: npt.NDArray[np.float64],
        ranks: npt.NDArray[np.int32],
        *,
        new_users: npt.NDArray[np.bool_],
        new_items: npt.NDArray[np.bool_],
    ) -> None:
        """Add n scored clicks.

        Parameters
        ----------
        times
            float64 [n], event times.
        ranks
            int32 [n, M], from 1; `MISS` for an item that nobody had clicked before.
        new_users, new_items
            bool [n], which slice each click belongs to.
        """
        self.overall.add(ranks)
        self.slices["new_users"].add(ranks[new_users])
        self.slices["new_items"].add(ranks[new_items])
        numbers = np.floor_divide(times, self.window_seconds).astype(np.int64)
        for number in np.unique(numbers).tolist():
            tally = self.windows.setdefault(number, Tally(len(self.models)))
            tally.add(ranks[numbers == number])
        if self._windows_kept is not None:
            for number in sorted(self.windows)[: -self._windows_kept]:
                del self.windows[number]

    def best(self, candidates: Sequence[str], metric: str = "mrr@20") -> str:
        """Return which of `candidates` has the highest overall `metric`; the first of equals."""
        column = METRICS.index(metric)
        return max(candidates, key=lambda name: self.overall.sums[self.models.index(name), column])

    def means(self, tally: Tally, shown: Mapping[str, str]) -> dict[str, dict[str, float]]:
        """Return model → metric → mean.

        Parameters
        ----------
        tally
            One of `overall`, `slices`, `windows`.
        shown
            Name to show → name of the model.
        """
        return {name: tally.means(self.models.index(model)) for name, model in shown.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; `restore` reads it."""
        tallies = {"overall": self.overall, **self.slices}
        return {
            "models": list(self.models),
            "window_seconds": self.window_seconds,
            "tallies": {name: _tally_to_dict(tally) for name, tally in tallies.items()},
            "windows": {str(n): _tally_to_dict(tally) for n, tally in self.windows.items()},
        }

    def restore(self, stored: Mapping[str, Any]) -> bool:
        """Take over what `to_dict` returned; refuse, returning False, where the models differ."""
        if tuple(stored["models"]) != self.models:
            return False
        if stored["window_seconds"] != self.window_seconds:
            return False
        for name, tally in {"overall": self.overall, **self.slices}.items():
            _restore_tally(tally, stored["tallies"][name])
        self.windows = {}
        for number, values in stored["windows"].items():
            self.windows[int(number)] = Tally(len(self.models))
            _restore_tally(self.windows[int(number)], values)
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


def _tally_to_dict(tally: Tally) -> dict[str, Any]:
    return {"scored": tally.scored, "sums": tally.sums.tolist()}


def _restore_tally(tally: Tally, stored: Mapping[str, Any]) -> None:
    tally.scored = int(stored["scored"])
    tally.sums = np.array(stored["sums"], dtype=np.float64)
