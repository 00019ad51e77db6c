"""What makes top-k lists: the other half of a baseline, for measures that ranks cannot give."""

from typing import Protocol

import numpy as np
import numpy.typing as npt


class ListMaker(Protocol):
    """Something that recommends, given no more than users' histories."""

    def top(
        self,
        histories: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        count: int,
        mask_history: bool,
    ) -> npt.NDArray[np.int64]:
        """Return each user's best items by what is known now.

        Parameters
        ----------
        histories, lengths
            int64 [U, L] and [U]: the users' item rows, oldest first, -1 where there is none.
        count
            How many items to list.
        mask_history
            Whether the items of the history are left out.

        Returns
        -------
        int64 [U, count], the best first, equal ones by ascending row; -1 past the last item that
        can be recommended.
        """
