"""Ranks of items by a model and counters that do not move: nothing is counted meanwhile."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.encoded import EncodedItems
from gsr.network.model import JointModel
from gsr.quality.ranking_metrics import MISS
from gsr.ranking.click_ranks import Queries, rank_clicks
from gsr.votes.negatives import SharedNegatives
from gsr.votes.recording import Notes, open_notes, record_click, with_more_room

CASES_TOGETHER: Final = 2048
"""Cases that are noted at once: bounds the memory of notes."""

_NO_NEGATIVES: Final = SharedNegatives(np.zeros(0, np.int64), np.zeros(0, np.float32))


def rank_frozen(
    model: JointModel,
    items: EncodedItems,
    graph: ItemGraph,
    histories: Histories,
    targets: npt.NDArray[np.int64],
    masked: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Rank the target of each of n cases by the joint score, among all items alive.

    The ranks are those that `rank_clicks` would give, were each case the next click. Ties count
    against the target.

    Parameters
    ----------
    model, items
        The model that is serving, and its item tables.
    graph
        The counters as they are.
    histories
        What was clicked before each target; raw ones too.
    targets
        int64 [n], item rows.
    masked
        int64 [n, L], item rows left out of each ranking; -1 ignored.

    Returns
    -------
    int32 [n], ranks from 1; `MISS` for a target that nobody clicked before (-1, or not alive).
    """
    ranks = np.full(len(targets), MISS, dtype=np.int32)
    known = np.flatnonzero(targets >= 0)
    known = known[graph.alive[targets[known]]]
    for start in range(0, len(known), CASES_TOGETHER):
        rows = known[start : start + CASES_TOGETHER]
        readable = histories.rows(rows).recent(
            model.config.history_length, model.config.event_weights
        )
        notes = _noted(model, graph, readable, targets[rows], masked[rows])
        found = model.user_queries(readable, graph, items=items, context=notes.context)
        queries = Queries(found.vectors, found.channel_weights, items.fused[: graph.items])
        scored = np.ones(len(rows), dtype=np.bool_)
        ranks[rows] = rank_clicks(notes, queries, graph.half_lives, scored, notes.seen)
    return ranks


def _noted(
    model: JointModel,
    graph: ItemGraph,
    readable: Histories,
    targets: npt.NDArray[np.int64],
    masked: npt.NDArray[np.int64],
) -> Notes:
    """Return notes of clicks that move nothing: after each, its item's level is as before."""
    numbers = np.arange(len(targets))
    notes = open_notes(graph, numbers, targets, readable, masked, _NO_NEGATIVES, 0, model.config)
    click = _record_all(notes, graph, 0)
    while click < len(targets):
        notes = with_more_room(notes)
        click = _record_all(notes, graph, click)
    notes.levels_after[:] = notes.first_levels[targets]
    return notes


@kernel
def _record_all(notes: Notes, graph: ItemGraph, click: int) -> int:
    """Note what is known before the clicks from `click` on; return the first without room."""
    while click < len(notes.targets) and record_click(notes, graph, click, 0):
        click += 1
    return click
