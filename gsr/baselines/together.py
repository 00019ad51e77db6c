"""Several baselines as one, with the time that each takes."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.interface import Baseline


class BaselinesTogether:
    """Baselines that are fed the same clicks, their columns side by side.

    Parameters
    ----------
    baselines
        Name to baseline, in the order of their columns; there may be none.
    monotonic
        A clock, in seconds.

    Attributes
    ----------
    seconds
        Name to seconds that it took so far.
    """

    def __init__(self, baselines: Mapping[str, Baseline], monotonic: Callable[[], float]) -> None:
        self._baselines = dict(baselines)
        self._monotonic = monotonic
        self.seconds = dict.fromkeys(self._baselines, 0.0)

    def __getitem__(self, name: str) -> Baseline:
        """Return one of them by its name."""
        return self._baselines[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(name for one in self._baselines.values() for name in one.names)

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by every baseline, then count it (see `Baseline`)."""
        return self._columns(
            clicks,
            lambda one: one.rank_and_add(clicks, scored=scored, mask_history=mask_history),
        )

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by every baseline as it is now (see `Baseline`)."""
        return self._columns(
            clicks, lambda one: one.rank(clicks, scored=scored, mask_history=mask_history)
        )

    def _columns(
        self, clicks: CountedClicks, ranks_by: Callable[[Baseline], npt.NDArray[np.int32]]
    ) -> npt.NDArray[np.int32]:
        columns = [np.zeros((len(clicks.targets), 0), dtype=np.int32)]
        for name, baseline in self._baselines.items():
            began = self._monotonic()
            columns.append(ranks_by(baseline))
            self.seconds[name] += self._monotonic() - began
        return np.concatenate(columns, axis=1)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows` in all of them."""
        for baseline in self._baselines.values():
            baseline.release(rows)
