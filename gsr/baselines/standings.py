"""The most popular items' popularity at several half-lives, in order: ranks by bisection.

Only a list's first places matter, and a click raises one item only. So no more is kept in order
than the highest values, and a click costs the same however many items there are.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.item_columns import ItemColumns

LATEST: Final = 500
"""Half-lives past its reference up to which popularity is ranked (float64 holds 1023)."""


class Standings(NamedTuple):
    """Popularity of N items at H half-lives, and the highest of it in order.

    Parameters
    ----------
    references
        int64 [H], the time to which popularity is related, in whole half-lives.
    popularity
        float64 [N, H], at the references.
    highest
        float64 [H, K], its K highest values among the items that had a click, ascending; -inf
        where there are fewer.
    totals
        float64 [H], sums over all items.
    """

    references: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    highest: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]


def new_standings(scales: int) -> Standings:
    """Return standings at `scales` half-lives with room for no item."""
    return Standings(
        references=np.zeros(scales, dtype=np.int64),
        popularity=np.zeros((0, scales)),
        highest=np.zeros((scales, 0)),
        totals=np.zeros(scales),
    )


def order_again(
    standings: Standings, known: npt.NDArray[np.int64], places: int | None = None
) -> Standings:
    """Return the standings with the highest values of the items `known`, int64, found anew.

    Parameters
    ----------
    places
        How many values to keep in order (K); None: as many as before.
    """
    scales, before = standings.highest.shape
    places = before if places is None else places
    highest = np.full((scales, places), -np.inf)
    kept = min(places, len(known))
    if kept:
        values = np.partition(standings.popularity[known].T, len(known) - kept, axis=1)
        highest[:, places - kept :] = np.sort(values[:, len(known) - kept :], axis=1)
    return standings._replace(highest=highest)


@lean_kernel
def enter_item(items: ItemColumns, standings: Standings, item: int) -> None:
    """Take over an item's popularity from the counters, related to the standings' references."""
    for s in range(len(standings.references)):
        exponent = items.popularity_references[item, s] - standings.references[s]
        standings.popularity[item, s] = math.ldexp(items.popularity[item, s], exponent)


@inner_kernel
def move_reference(standings: Standings, scale: int, reference: int) -> None:
    """Relate popularity on one scale to a later time."""
    exponent = standings.references[scale] - reference
    for place in range(standings.highest.shape[1]):
        standings.highest[scale, place] = math.ldexp(standings.highest[scale, place], exponent)
    for item in range(len(standings.popularity)):
        standings.popularity[item, scale] = math.ldexp(standings.popularity[item, scale], exponent)
    standings.totals[scale] = math.ldexp(standings.totals[scale], exponent)
    standings.references[scale] = reference


@lean_kernel
def at_least(highest: npt.NDArray[np.float64], value: float) -> int:
    """Return how many of the ascending values `highest`, float64 [K], are `value` or more."""
    low, high = 0, len(highest)
    while low < high:
        middle = (low + high) // 2
        if highest[middle] < value:
            low = middle + 1
        else:
            high = middle
    return len(highest) - low


@lean_kernel
def raise_value(highest: npt.NDArray[np.float64], old: float, new: float) -> None:
    """Put an item's `new` value, not below its `old` one, in its place among the highest.

    `old` is -inf for an item that had none. Where it is not among the highest, the lowest of
    these makes room.
    """
    if len(highest) == 0 or new <= highest[0]:
        return
    place = len(highest) - at_least(highest, old) if old >= highest[0] else 0
    while place + 1 < len(highest) and highest[place + 1] < new:
        highest[place] = highest[place + 1]
        place += 1
    highest[place] = new
