"""The most popular items on every time scale, kept up to date click by click.

Decay lowers all items alike, and a click raises one of them: so an exact list of the best needs no
look at any other item, and a click costs as much as the list is long.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.items.item_graph import ItemGraph


class PopularItems(NamedTuple):
    """Item rows in descending order of popularity, for each of S time scales.

    Parameters
    ----------
    rows
        int64 [S, T].
    counts
        int64 [S], how many there are.
    """

    rows: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def no_popular_items(scales: int, length: int) -> PopularItems:
    """Return empty lists of at most `length` items each."""
    return PopularItems(
        rows=np.full((scales, length), -1, dtype=np.int64),
        counts=np.zeros(scales, dtype=np.int64),
    )


@inner_kernel
def _is_above(items: ItemColumns, row: int, other: int, scale: int) -> bool:
    """Whether `row` is more popular than `other`, whatever their references are."""
    exponent = items.popularity_references[row, scale] - items.popularity_references[other, scale]
    return bool(
        math.ldexp(items.popularity[row, scale], max(min(exponent, 1000), -1000))
        > items.popularity[other, scale]
    )


@lean_kernel
def raise_item(popular: PopularItems, items: ItemColumns, row: int) -> None:
    """Move an item whose popularity has grown to its place, or into the lists."""
    for scale in range(len(popular.counts)):
        listed = popular.rows[scale]
        count = popular.counts[scale]
        place = -1
        for i in range(count):
            if listed[i] == row:
                place = i
        if place < 0:
            if items.popularity[row, scale] <= 0.0:
                continue
            if count < len(listed):
                place = count
                popular.counts[scale] += 1
            elif _is_above(items, row, listed[count - 1], scale):
                place = count - 1
            else:
                continue
        while place > 0 and _is_above(items, row, listed[place - 1], scale):
            listed[place] = listed[place - 1]
            place -= 1
        listed[place] = row


def by_popularity(
    items: ItemColumns | ItemGraph,
    rows: npt.NDArray[np.int64],
    scale: int,
    most: int | None = None,
) -> npt.NDArray[np.int64]:
    """Return item rows, int64 [n], in descending order of popularity on one scale.

    With `most`, only so many: the first ones of that order, without sorting the others.
    """
    first, _ = _popular_and_others(items, rows, scale, most)
    return first[:most]


def popular_first(
    items: ItemColumns | ItemGraph, rows: npt.NDArray[np.int64], scale: int, ordered: int
) -> npt.NDArray[np.int64]:
    """Return all of `rows`, int64 [n]: at least `ordered` by popularity, the others behind them.

    Sorting a whole catalogue takes ten times as long as finding its most popular items.
    """
    return np.concatenate(_popular_and_others(items, rows, scale, ordered))


def _popular_and_others(
    items: ItemColumns | ItemGraph, rows: npt.NDArray[np.int64], scale: int, most: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the most popular rows in order, `most` of them or more, and those that are less so."""
    popularity = items.popularity[rows, scale].astype(np.float64)
    with np.errstate(divide="ignore"):
        levels = np.log2(popularity) + items.popularity_references[rows, scale]
    if most is not None and 0 < most < len(rows):
        # All that are as popular as the last one stay: the order decides among them.
        above = levels >= np.partition(levels, -most)[-most]
        others, rows, levels = rows[~above], rows[above], levels[above]
    else:
        others = rows[:0]
    return rows[np.argsort(-levels, kind="stable")], others


def list_again(popular: PopularItems, items: ItemColumns | ItemGraph, used: int) -> None:
    """Fill the lists anew from the first `used` rows, after items have left."""
    for scale, listed in enumerate(popular.rows):
        rows = np.flatnonzero(items.alive[:used] & (items.popularity[:used, scale] > 0.0))
        best = by_popularity(items, rows, scale, len(listed))
        listed[: len(best)] = best
        popular.counts[scale] = len(best)
