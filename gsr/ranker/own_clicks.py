"""A user's own clicks that the counters do not know yet, for both rankers.

What is learned was always counted when the user clicked next; a serving view is a few seconds old,
and frozen counters know nothing of a session. So the user's own clicks, which the history tells of,
are added where features speak of the item alone.
"""

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.votes.constants import PAUSE_SECONDS


@inner_kernel
def is_uncounted(
    alive: npt.NDArray[np.bool_], last_clicks: npt.NDArray[np.float64], item: int, clicked: float
) -> bool:
    """Tell whether the counters do not know yet of a click on `item` at the time `clicked`."""
    return item >= 0 and alive[item] and clicked > last_clicks[item]


@lean_kernel
def count_own_clicks(
    alive: npt.NDArray[np.bool_],
    last_clicks: npt.NDArray[np.float64],
    half_lives: npt.NDArray[np.float64] | tuple[float, ...],
    pool: npt.NDArray[np.int64],
    size: int,
    time: float,
    history: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    length: int,
    values: npt.NDArray[np.float32],
    since: int,
    offset: float,
) -> None:
    """Add uncounted clicks to the popularity of candidates, and to the time since their last click.

    Parameters
    ----------
    alive, last_clicks
        bool and float64 [N], of the items.
    half_lives
        float64 [S], of popularity.
    pool, size
        Item rows, of which the first `size` are candidates.
    time
        Now.
    history, history_times, length
        Item rows and times, of which the first `length` count.
    values
        float32 [size, F], what features are the logarithms of; popularity stands first.
    since, offset
        The feature that tells of the last click, and what is added to it.
    """
    for k in range(length):
        if not is_uncounted(alive, last_clicks, history[k], history_times[k]):
            continue
        age = max(time - history_times[k], 0.0)
        for q in range(size):
            if pool[q] != history[k]:
                continue
            for s in range(len(half_lives)):
                values[q, s] += 2.0 ** (-age / half_lives[s])
            values[q, since] = min(values[q, since], offset + age / PAUSE_SECONDS)
