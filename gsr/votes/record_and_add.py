"""Record what is known before each click, then add the click to the counters. Imports no torch.

One loop joins `gsr.votes.recording` with `gsr.counters.items.edge_kernel`, which know nothing of
each other.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.applied_clicks import AppliedColumns
from gsr.counters.items.edge_kernel import add_edges
from gsr.counters.items.edge_rows import Edges, Scratch, whole_graph_of
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.votes.recording import Notes, note_level, record_click

DONE: Final = 0
MORE_NOTES: Final = 1
"""The notes' graph channels need more room before the named click."""
MORE_EDGES: Final = 2
"""The state's edges need more room before the named click."""


@kernel
def note_and_add(
    notes: Notes,
    own: int,
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    results: AppliedColumns,
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    start: int,
    stop: int,
) -> tuple[int, int]:
    """Note and add clicks ``start : stop``; return the first one not added, and why.

    Parameters
    ----------
    notes, own
        Where to note, and how many candidates come from each user's own graph channels.
    items, edges, rules, progress, scratch, results, times, events
        See `gsr.counters.items.edge_kernel.add_edges`.
    """
    graph = whole_graph_of(rules, items, edges)
    for click in range(start, stop):
        if not record_click(notes, graph, click, own):
            return click, MORE_NOTES
        added = add_edges(
            items, edges, rules, progress, scratch, results, times, events, click, click + 1
        )
        if added == click:
            return click, MORE_EDGES
        note_level(notes, graph, click)
    return stop, DONE
