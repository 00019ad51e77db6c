"""What every baseline is: something that ranks the next click, and then counts it."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks


class Baseline(Protocol):
    """A rival of the joint model; one or several columns of ranks."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the M columns of the ranks: ``KIND@SETTING``, or ``KIND`` alone."""

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by what is known now, and count none (see `rank_and_add`).

        The edges of `clicks` are not read.
        """

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by what was known before it, then count it.

        Parameters
        ----------
        clicks
            n clicks, in order.
        scored
            bool [n], which of them to rank.
        mask_history
            Whether the items of the history are left out of the ranking.

        Returns
        -------
        int32 [n, M], ranks from 1, ties against the clicked item; `MISS` for an item without a
        click before, and for clicks that are not scored.
        """

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, int64, which are to be given to other items."""
