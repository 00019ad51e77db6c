"""Lists that the serving model would give now to the users tested last."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.users.histories import Histories
from gsr.loop.learning_loop import LIST_USERS, LearningLoop

LIST_LENGTH: Final = 20


def recent_histories(loop: LearningLoop, users: int = LIST_USERS) -> Histories | None:
    """Return the readable histories of the users tested last; None before the first test.

    A user stands there once for each of the newest tested clicks, with the history before it.
    """
    recent = loop.recent_users
    return None if recent is None else recent.rows(np.arange(len(recent))[-users:])


def joint_lists(
    loop: LearningLoop,
    histories: Histories,
    length: int = LIST_LENGTH,
    *,
    mask_history: bool = True,
) -> npt.NDArray[np.int64]:
    """Return what the serving model lists by the counters as they are.

    Parameters
    ----------
    loop
        Its model and counters.
    histories
        Of B users.
    length
        Of the lists.
    mask_history
        Whether the items of the history are left out.

    Returns
    -------
    int64 [B, length], the best first, -1 past the last item that can be recommended.
    """
    return loop.stream.lists(histories, length, mask_history=mask_history)
