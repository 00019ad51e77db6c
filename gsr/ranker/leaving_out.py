"""What a click does to a list: its items are scored again as if the click had never been.

A score alone says nothing: what lifts all candidates alike changes no list. So items are compared
by their share among the candidates, the chance that softmax gives each:

    share(j)  =  exp score(j) / Σ_k exp score(k)          over the candidates k

    lost      =  1  -  share(j) without the click / share(j) with it

Without a click the user's buffer lacks it, and with it all that is made of it: votes, vectors, the
pause since the newest click, the length of the history. An older click takes the free place. The
time of the question stays, what everybody's clicks have counted stays, and so does what the user
may not get, the item of the click among it. Further clicks of the user on the same item go
with it: they say the same thing once more, and would hide what each of them does.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.users.histories import Histories
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked, asked

NO_CLICK = -1
"""In place of a click where none is the reason."""

Scores = Callable[[Asked, npt.NDArray[np.int64]], Floats]
"""Scores of exactly these items, int64 [K], for each of n users: float32 [n, K]."""


class ClickEffects(NamedTuple):
    """What V clicks of a user do to K items.

    Parameters
    ----------
    items, times
        int64 [V] and float64 [V], clicked item rows, and the newest click on each; newest first.
    lost
        float32 [V, K], which part of its share each item loses without the click, below 0 where it
        gains.
    lost_without_any
        float32 [K], the same without all of these clicks.
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    lost: Floats
    lost_without_any: Floats

    def strongest(self, least: float) -> npt.NDArray[np.int64]:
        """Return of each item the click that does most for it.

        Parameters
        ----------
        least
            Part of its share that the item must lose without the click.

        Returns
        -------
        int64 [K], `NO_CLICK` where no click does so much.
        """
        items = self.lost.shape[1]
        if len(self.items) == 0:
            return np.full(items, NO_CLICK, dtype=np.int64)
        best = self.lost.argmax(axis=0)
        enough = self.lost[best, np.arange(items)] >= least
        return np.where(enough, best, NO_CLICK).astype(np.int64)


def log_shares(scores: Floats) -> Floats:
    """Return the logarithms of shares among K candidates, at least one: float64 [n, K]."""
    exact = scores.astype(np.float64)
    exact -= exact.max(axis=1, keepdims=True)
    found: Floats = exact - np.log(np.exp(exact).sum(axis=1, keepdims=True))
    return found


def click_effects(
    scores: Scores,
    buffer: Histories,
    masked: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.int64],
    listed: int,
    *,
    history_length: int,
    event_weights: tuple[float, ...],
) -> ClickEffects:
    """Leave out each click that is read of a user, one after the other.

    Parameters
    ----------
    scores
        Of a model.
    buffer
        The user's whole buffer: one row.
    masked
        int64, item rows that the user may not get, whatever is left out.
    candidates, listed
        int64 [M], item rows, each of them once, among which shares are; losses are told of the
        first `listed`.
    history_length, event_weights
        What of a buffer is read.
    """
    readable = buffer.recent(history_length, event_weights)
    read = int(readable.lengths[0])
    newest_first = readable.items[0, :read][::-1]
    _, first = np.unique(newest_first, return_index=True)
    places = np.sort(first)
    clicked, times = newest_first[places], readable.times[0, :read][::-1][places]
    if len(clicked) == 0 or listed == 0:
        nothing = np.zeros((len(clicked), listed), dtype=np.float32)
        return ClickEffects(clicked, times, nothing, np.zeros(listed, dtype=np.float32))
    buffers = without_each(buffer, clicked)
    users = asked(
        buffers.recent(history_length, event_weights), buffers.lengths, [masked] * len(buffers)
    )
    shares = log_shares(scores(users, candidates))[:, :listed]
    lost = -np.expm1(shares[1:] - shares[0]).astype(np.float32)
    return ClickEffects(clicked, times, lost[:-1], lost[-1])


def without_each(buffer: Histories, items: npt.NDArray[np.int64]) -> Histories:
    """Return a user's buffer as it is, then without the clicks on each item, then without all.

    Parameters
    ----------
    buffer
        One row.
    items
        int64 [V], item rows.
    """
    clicks = int(buffer.lengths[0])
    kept = np.ones((len(items) + 2, clicks), dtype=np.bool_)
    kept[1:-1] = buffer.items[0, :clicks] != items[:, None]
    kept[-1] = kept[1:-1].all(axis=0)
    order = np.argsort(~kept, axis=1, kind="stable")
    lengths = kept.sum(axis=1)
    there = np.arange(clicks) < lengths[:, None]
    return Histories(
        np.where(there, buffer.items[0, order], -1),
        np.where(there, buffer.times[0, order], 0.0),
        np.where(there, buffer.events[0, order], 0).astype(np.uint8),
        lengths,
        np.repeat(buffer.now, len(kept)),
    )
