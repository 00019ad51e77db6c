"""A check that a state or a checkpoint does not contradict itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gsr.counters.applied_clicks import FORGET_EVENT
from gsr.counters.ids.fingerprint import fingerprint
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.user_buffer import UserBuffer
from stream.errors import StateCorruptError
from stream.state.checkpoint import Checkpoint
from stream.state.feed import CHUNK_ROWS
from stream.state.packing import newest_time, seen_in, whole_user
from stream.state.reading import decode_user
from stream.state.rocks import fetch, scan

_WORD_BYTES = 4
_MOST_PROBLEMS = 100


def check(path: Path) -> list[str]:
    """Return what is wrong with the state or checkpoint in `path`, in plain words; [] if nothing.

    Opens it read-only: run it on a checkpoint, or on a state that nobody has open. Stops after a
    hundred problems.

    Raises
    ------
    StateMismatchError
        Another format version.
    StateCorruptError
        It cannot even be opened.
    """
    problems = []
    with Checkpoint.open(path) as checkpoint:
        try:
            table = checkpoint.items()
            marks = dict(zip(table.indexes.tolist(), map(fingerprint, table.ids), strict=True))
            for inspection in (
                _item_problems(checkpoint, table),
                _user_problems(checkpoint, marks),
                _feed_problems(checkpoint),
            ):
                for problem in inspection:
                    problems.append(problem)
                    if len(problems) == _MOST_PROBLEMS:
                        return problems
        except (StateCorruptError, UnicodeDecodeError) as error:
            problems.append(str(error))
    return problems


def _item_problems(checkpoint: Checkpoint, table: PartitionItems) -> Iterator[str]:
    """Yield what is wrong with items and their rows."""
    meta, graph = checkpoint.meta, table.graph
    if len(set(table.ids)) < len(table.ids):
        yield "Two items have the same id."
    if len(table.ids) > meta.config.max_items:
        yield f"{len(table.ids)} items, more than max_items = {meta.config.max_items}."
    if np.any(table.indexes >= meta.next_index):
        yield f"An item has an index that was never given out (the next is {meta.next_index})."
    if np.any(graph.row_lengths > meta.config.row_slots):
        yield f"A row of the graph holds more than {meta.config.row_slots} neighbours."
    if not np.all(np.isfinite(graph.weights) & (graph.weights >= 0)):
        yield "The graph holds a weight that is not a number, infinite or negative."
    if not np.all(np.isfinite(graph.popularity) & (graph.popularity >= 0)):
        yield "An item's popularity is not a number, infinite or negative."
    if np.any(graph.last_clicks > meta.watermark):
        yield "An item was clicked after the watermark."
    for row in np.flatnonzero(graph.row_lengths).tolist():
        start = graph.row_starts[row]
        neighbours = graph.neighbours[start : start + graph.row_lengths[row]]
        if len(np.unique(neighbours)) < len(neighbours) or row in neighbours:
            yield f"The row of item {table.ids[row]!r} names a neighbour twice, or itself."


def _user_problems(checkpoint: Checkpoint, marks: dict[int, int]) -> Iterator[str]:
    """Yield what is wrong with users and their seen filters."""
    meta = checkpoint.meta
    owners = 0
    for key, value in scan(checkpoint.database, "users"):
        name = key.decode(errors="replace")
        seen = fetch(checkpoint.database, "filters", key) or b""
        owners += bool(seen)
        if not whole_user(value) or len(seen) != _WORD_BYTES * seen_in(value):
            yield f"User {name!r} is cut short."
            continue
        buffer = decode_user(value, seen)
        if len(buffer) > meta.config.buffer_length or len(buffer.seen) > meta.config.seen_items:
            yield f"User {name!r} has more clicks or seen items than configured."
        if np.any(np.diff(buffer.times) < 0) or newest_time(value) > meta.watermark:
            yield f"The clicks of user {name!r} are out of order, or after the watermark."
        if len(np.unique(buffer.hashes)) < len(buffer) or len(np.unique(buffer.seen)) < len(
            buffer.seen
        ):
            yield f"User {name!r} holds a click or a seen item twice."
        if buffer.source_offset >= meta.next_offset:
            yield f"User {name!r} has clicked at offset {buffer.source_offset}, not yet read."
        if _strangers(buffer, marks, meta.next_index):
            yield f"The buffer of user {name!r} names items that are others now."
    if owners != sum(1 for _ in scan(checkpoint.database, "filters")):
        yield "There are seen filters of users who do not exist."


def _strangers(buffer: UserBuffer, marks: dict[int, int], next_index: int) -> bool:
    """Tell whether a buffer's indexes and fingerprints disagree with the items."""
    return any(
        index >= next_index or marks.get(index, mark) != mark
        for index, mark in zip(buffer.items.tolist(), buffer.fingerprints.tolist(), strict=True)
    )


def _feed_problems(checkpoint: Checkpoint) -> Iterator[str]:
    """Yield what is wrong with the accepted feed."""
    meta = checkpoint.meta
    told = meta.counters["accepted"] + meta.counters["forgotten"]
    if meta.feed_stop != told:
        yield f"The feed ends at {meta.feed_stop}, but {told} clicks were accepted."
    newest = np.iinfo(np.int64).min  # history from before the log has negative offsets
    for start in range(meta.feed_start, meta.feed_stop, CHUNK_ROWS):
        rows = checkpoint.feed(start, CHUNK_ROWS)
        if rows.offsets[0] <= newest or np.any(np.diff(rows.offsets) <= 0):
            yield f"Offsets go back within or before chunk {start} of the feed."
        newest = int(rows.offsets[-1])
        clicks = rows.events != FORGET_EVENT
        if np.any(rows.items[clicks] < 0) or np.any(rows.items >= meta.next_index):
            yield f"Chunk {start} of the feed names an item that never was."
    if newest >= meta.next_offset:
        yield f"The feed goes to offset {newest}, but {meta.next_offset} is read next."
