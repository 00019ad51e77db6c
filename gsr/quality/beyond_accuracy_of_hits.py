"""Beyond accuracy, where the clicked item is known: serendipity, and hits by popularity decile.

Both ask how popular the clicked item was. `PopularityScale` is what clicks by item said at one
moment; later clicks are judged by it from the item's clicks before them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

DECILES: Final = 10


class PopularityScale:
    """Where an item with so many clicks stands among all n items.

    Parameters
    ----------
    clicks
        int64 [n], clicks of each item so far, 0 for an item that had none.

    Attributes
    ----------
    items
        How many there are (n).

    Examples
    --------
    >>> scale = PopularityScale(np.array([50, 30, 10, 10, 0]))
    >>> scale.ranks(np.array([50, 30, 10, 0])).tolist()
    [1, 2, 3, 6]
    >>> scale.deciles(np.array([50, 30, 10, 0])).tolist()
    [2, 6, 9, 9]
    """

    def __init__(self, clicks: npt.NDArray[np.int64]) -> None:
        self.items = len(clicks)
        self._levels, items = np.unique(clicks[clicks > 0], return_counts=True)
        sums = np.cumsum((self._levels * items)[::-1], dtype=np.float64)[::-1]
        self._from_level = np.append(sums, 0.0)

    def ranks(self, clicks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return popularity ranks from 1; items with equally many clicks share one.

        An item without clicks stands behind all others, at ``n + 1``.
        """
        above = len(self._levels) - np.searchsorted(self._levels, clicks, side="right")
        return np.where(clicks > 0, 1 + above, self.items + 1)

    def deciles(self, clicks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the popularity decile of items, 0 (the most popular) to 9.

        Items are ordered by clicks so far, and each decile has a tenth of all *clicks*, not of the
        items: a few items in the first, most of the catalogue in the last. Items with equally many
        clicks are in one decile, that of their middle; without clicks, in the last.

        References
        ----------
        H. Abdollahpouri, M. Mansoury, R. Burke, B. Mobasher and E. Malthouse, User-centered
        evaluation of popularity bias in recommender systems, UMAP 2021, cut the items into head,
        middle and tail by shares of ratings likewise.
        """
        total = self._from_level[0]
        above = self._from_level[np.searchsorted(self._levels, clicks, side="right")]
        upto = self._from_level[np.searchsorted(self._levels, clicks, side="left")]
        if total <= 0.0:
            return np.full(len(clicks), DECILES - 1)
        middle = (above + upto) / 2.0 / total
        deciles = np.minimum((middle * DECILES).astype(np.int64), DECILES - 1)
        return np.where(clicks > 0, deciles, DECILES - 1)


def serendipity(
    ranks: npt.NDArray[np.int32],
    popularity_ranks: npt.NDArray[np.int64],
    items: int,
    length: int,
) -> npt.NDArray[np.float64]:
    """Return the serendipity of lists in which one item is relevant.

    ``Σ_i max(p(i) - p_any(i), 0) * relevant(i) / k`` over the list's k places, with
    ``p(i) = (n + 1 - i) / n`` and ``p_any(i) = (n + 1 - popularity rank) / n``, 0 for an item
    without clicks: a hit counts as far as the list ranks the item above its popularity.

    Parameters
    ----------
    ranks
        int32 [m, M], the relevant item's rank from 1 in each of M lists; below 1 or past `length`
        it is no hit.
    popularity_ranks
        int64 [m], of the relevant item (`PopularityScale.ranks`).
    items
        How many could be recommended (n).
    length
        Of the lists (k).

    Returns
    -------
    float64 [m, M]

    References
    ----------
    RecTools: `Serendipity`, after Lab41, Recommender systems: it's not all about the accuracy,
    2016; M. Ge, C. Delgado-Battenfeld and D. Jannach, Beyond accuracy, RecSys 2010, have the idea
    that what any primitive recommender shows is no surprise.

    Examples
    --------
    >>> ranks, popular = np.array([[1, 2], [3, 9]], dtype=np.int32), np.array([1, 11])
    >>> serendipity(ranks, popular, items=10, length=4).tolist()
    [[0.0, 0.0], [0.2, 0.0]]
    """
    hit = (ranks >= 1) & (ranks <= length)
    gain = np.maximum(popularity_ranks[:, None] - ranks.astype(np.int64), 0)
    return np.where(hit, gain / (max(items, 1) * length), 0.0)
