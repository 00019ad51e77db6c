"""Records of channels, context and candidates as they were just before each click.

Clicks of a chunk change the live counters one by one. The kernels here note, before each click,
the channels, the context and the candidates that ranking and learning need later, and after each
click the one popularity level that it moved. So the networks run once per chunk, in batches, and
every number is still as it was before its click.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.learning.samples import Samples
from gsr.votes.channels import (
    candidate_features,
    channel_count,
    clear_channels,
    context_count,
    context_features,
    graph_channel_count,
    graph_channels,
)
from gsr.votes.negatives import SharedNegatives, list_candidates
from gsr.votes.popularity import popularity_levels, update_level


class Notes(NamedTuple):
    """Memory for the records of n clicks, of which r are recorded; N item rows, S scales.

    Parameters
    ----------
    record_of
        int64 [n], record number of each click, -1 where it is not recorded.
    targets
        int64 [n], item row of each click; -1 for a click that changes nothing.
    history_items, history_times, history_lengths, now
        int64 [r, H], float64 [r, H], int64 [r], float64 [r]: what the model may read of each
        record's user (`Histories.recent`), and the click's time.
    seen
        int64 [r, L], rows that are never listed as candidates, -1 ignored.
    shared, shared_log_inclusion
        int64 and float32 [K], negatives that all records share.
    settings
        float64 [2]: how many clicks vote in the graph channels, and their decay.
    candidates, log_inclusion, features, context
        int64 [r, M], float32 [r, M], float32 [r, M, C], float32 [r, F]: see `Samples`.
    channel_starts, channel_items, channel_values
        int64 [r + 1], int32 [k], float32 [k, S]: record i's graph channels are the entries
        ``channel_starts[i] : channel_starts[i + 1]``.
    levels
        float64 [N, S], live popularity levels.
    first_levels, first_alive
        float64 [N, S] and bool [N], as they were before the first click.
    levels_after
        float64 [n, S], level of each click's item after it.
    dense, touched
        Scratch memory of the graph channels.
    """

    record_of: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    history_items: npt.NDArray[np.int64]
    history_times: npt.NDArray[np.float64]
    history_lengths: npt.NDArray[np.int64]
    now: npt.NDArray[np.float64]
    seen: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]
    shared_log_inclusion: npt.NDArray[np.float32]
    settings: npt.NDArray[np.float64]
    candidates: npt.NDArray[np.int64]
    log_inclusion: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    channel_starts: npt.NDArray[np.int64]
    channel_items: npt.NDArray[np.int32]
    channel_values: npt.NDArray[np.float32]
    levels: npt.NDArray[np.float64]
    first_levels: npt.NDArray[np.float64]
    first_alive: npt.NDArray[np.bool_]
    levels_after: npt.NDArray[np.float64]
    dense: npt.NDArray[np.float32]
    touched: npt.NDArray[np.int64]


def open_notes(
    graph: ItemGraph,
    record_of: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    histories: Histories,
    seen: npt.NDArray[np.int64],
    negatives: SharedNegatives,
    own: int,
    config: ModelConfig,
) -> Notes:
    """Return empty notes for a chunk whose clicks are about to be added to `graph`.

    Parameters
    ----------
    graph
        The live counters, with a row for every item of the chunk.
    record_of, targets
        int64 [n], see `Notes`.
    histories
        What the model may read of each recorded click's user.
    seen
        int64 [r, L], see `Notes`.
    negatives
        Shared by the chunk.
    own
        Candidates from each user's own graph channels.
    config
        Of the model.
    """
    items, scales = len(graph.alive), len(graph.half_lives)
    records, width = len(histories), 1 + own + len(negatives.rows)
    levels = np.empty((items, scales))
    popularity_levels(graph, levels)
    return Notes(
        record_of=record_of,
        targets=targets,
        history_items=histories.items,
        history_times=histories.times,
        history_lengths=histories.lengths,
        now=histories.now,
        seen=seen,
        shared=negatives.rows,
        shared_log_inclusion=negatives.log_inclusion,
        settings=np.array([config.channel_history, config.channel_decay], dtype=np.float64),
        candidates=np.full((records, width), -1, dtype=np.int64),
        log_inclusion=np.zeros((records, width), dtype=np.float32),
        features=np.zeros((records, width, channel_count(scales)), dtype=np.float32),
        context=np.zeros((records, context_count(scales)), dtype=np.float32),
        channel_starts=np.zeros(records + 1, dtype=np.int64),
        channel_items=np.empty(max(64 * records, 2 * items), dtype=np.int32),
        channel_values=np.empty(
            (max(64 * records, 2 * items), graph_channel_count(scales)), dtype=np.float32
        ),
        levels=levels,
        first_levels=levels.copy(),
        first_alive=graph.alive.copy(),
        levels_after=np.zeros((len(targets), scales)),
        dense=np.zeros((items, graph_channel_count(scales)), dtype=np.float32),
        touched=np.empty(2 * items + _SPARE, dtype=np.int64),
    )


_SPARE = 1 << 14


def with_more_room(notes: Notes) -> Notes:
    """Return the same notes with room for twice as many graph channels."""
    more = len(notes.channel_items)
    return notes._replace(
        channel_items=np.pad(notes.channel_items, (0, more)),
        channel_values=np.pad(notes.channel_values, ((0, more), (0, 0))),
    )


@kernel
def record_click(notes: Notes, graph: ItemGraph, click: int, own: int) -> bool:
    """Note what is known before `click`; return False where there is too little room.

    Recording the same click again, with more room, overwrites what was noted.
    """
    record = notes.record_of[click]
    if record < 0:
        return True
    start = notes.channel_starts[record]
    items = notes.history_items[record]
    length = notes.history_lengths[record]
    now = notes.now[record]
    count = graph_channels(
        graph,
        notes.levels,
        items,
        length,
        now,
        int(notes.settings[0]),
        notes.settings[1],
        notes.dense,
        notes.touched,
    )
    fits = start + count <= len(notes.channel_items)
    if fits:
        notes.channel_starts[record + 1] = start + count
        for i in range(count):
            item = notes.touched[i]
            notes.channel_items[start + i] = item
            for channel in range(notes.dense.shape[1]):
                notes.channel_values[start + i, channel] = notes.dense[item, channel]
        list_candidates(
            graph,
            notes.targets[click],
            notes.dense,
            notes.touched,
            count,
            own,
            notes.seen[record],
            notes.shared,
            notes.shared_log_inclusion,
            notes.candidates[record],
            notes.log_inclusion[record],
        )
        candidate_features(
            notes.levels,
            graph.half_lives,
            now,
            notes.dense,
            notes.candidates[record],
            notes.features[record],
        )
        context_features(
            graph, items, notes.history_times[record], length, now, notes.context[record]
        )
    clear_channels(notes.dense, notes.touched, count)
    return bool(fits)


@kernel
def note_level(notes: Notes, graph: ItemGraph, click: int) -> None:
    """Note the popularity level to which `click`, just added, has moved its item."""
    item = notes.targets[click]
    if item >= 0:
        update_level(graph, item, notes.levels)
        notes.levels_after[click] = notes.levels[item]


def samples_of(notes: Notes, histories: Histories) -> Samples:
    """Return the r recorded clicks as samples."""
    return Samples(
        histories=histories,
        candidates=notes.candidates,
        log_inclusion=notes.log_inclusion,
        features=notes.features,
        context=notes.context,
    )
