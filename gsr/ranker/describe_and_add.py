"""One pass over clicks: candidates of the wanted ones are described, then each click is counted."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.applied_clicks import ACCEPTED, AppliedColumns
from gsr.counters.arena import Arena
from gsr.counters.items.edge_kernel import add_edges
from gsr.counters.items.edge_rows import Edges, Scratch, whole_graph_of
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.counters.users.user_columns import UserColumns
from gsr.ranker.barred import admit_fingerprints, admit_rows, bar_fingerprints, bar_rows
from gsr.ranker.candidates import NO_ITEMS, Described, Selection, Workspace, describe_user
from gsr.ranker.popular_items import raise_item

DONE: Final = 0
DESCRIBED_FULL: Final = 1
"""There is no room for the candidates of the named click."""
MORE_EDGES: Final = 2
"""The edges need more room before the named click."""


class Wanted(NamedTuple):
    """The r clicks whose candidates are wanted.

    Parameters
    ----------
    record_of
        int64 [n], the number of each click, -1 where it is not wanted.
    slots
        int64 [n], slots of the users.
    items, times, lengths
        int64 [r, H], float64 [r, H] and int64 [r]: what votes, oldest first.
    masked
        int64 [r, L], item rows that may not be listed; -1 is none.
    clicks
        int64 [r], in the user's buffer.
    """

    record_of: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    masked: npt.NDArray[np.int64]
    clicks: npt.NDArray[np.int64]


@lean_kernel
def describe_and_add(
    wanted: Wanted,
    mask: bool,
    selection: Selection,
    work: Workspace,
    described: Described,
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    applied: AppliedColumns,
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    start: int,
    stop: int,
) -> tuple[int, int]:
    """Describe and add clicks ``start : stop``; return the first one not added, and why.

    Parameters
    ----------
    wanted
        Whose candidates are wanted.
    mask
        Whether what a user has seen is left out: the buffer, and what the seen filter knows. None
        of the users may have so many clicks among these that one has left their buffer again.
    selection, work, described
        How candidates are found, and room for them; `described` keeps those whom it counts.
    users, seen
        The users, whose buffers hold these clicks already.
    items, edges, rules, progress, scratch, applied, times, events
        See `gsr.counters.items.edge_kernel.add_edges`.
    """
    for click in range(start, stop):
        if len(edges.neighbours.slots) - edges.neighbours.top[0] < rules.room_per_click:
            return click, MORE_EDGES
        record = wanted.record_of[click]
        if record >= 0:
            n = described.counts[0]
            room = len(described.values) - described.starts[n]
            if n == len(described.clicks) or room < len(work.pool):
                return click, DESCRIBED_FULL
            if mask:
                bar_rows(work.barred, wanted.masked[record])
                slot = wanted.slots[click]
                first = users.seen_starts[slot]
                bar_fingerprints(work.barred, seen.slots[first : first + users.seen_lengths[slot]])
            described.clicks[n] = record
            describe_user(
                whole_graph_of(rules, items, edges),
                selection,
                work,
                applied.item_rows[click],
                times[click],
                wanted.items[record],
                wanted.times[record],
                wanted.lengths[record],
                wanted.clicks[record],
                not mask,
                NO_ITEMS,
                described,
            )
            if mask:
                admit_rows(work.barred, wanted.masked[record])
                admit_fingerprints(work.barred)
        add_edges(items, edges, rules, progress, scratch, applied, times, events, click, click + 1)
        if applied.outcomes[click] == ACCEPTED and rules.weights[events[click]] > 0.0:
            raise_item(selection.popular, items, applied.item_rows[click])
    return stop, DONE
