"""State of a partition in memory: users, items, their graph, and how clicks change them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.applied import Applied
from gsr.counters.arena import block_size
from gsr.counters.buffer_arena import full_capacity
from gsr.counters.buffer_kernel import (
    DONE,
    ITEMS_OVERFLOW,
    SPACE,
    BufferRules,
    Clicks,
    Progress,
    Results,
    push_clicks,
)
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import StateConfig
from gsr.counters.edge_kernel import EdgeRules, Edges, Scratch, add_edges
from gsr.counters.fingerprint import fingerprints_of
from gsr.counters.id_column import IdColumn
from gsr.counters.item_columns import GONE, ItemColumns
from gsr.counters.item_graph import ItemGraph, ItemTable
from gsr.counters.item_rows import ItemRows
from gsr.counters.merge_kernel import merge_table
from gsr.counters.seen_filter import remember
from gsr.counters.user_buffer import UserBuffer
from gsr.counters.user_columns import clear_user
from gsr.counters.user_slots import UserSlots, seen_of

_EVENT_CODES = 256
_FEW_USERS = 16_384
_EXPIRY_STEPS = 16  # per lifetime of items, and the share of max_items that leaves at once
_CLICKS_AT_ONCE = 4096  # so that looking items up again after some left stays cheap
_SPACE_STEP = 16  # full rows, so that a growing arena is not asked for at every click


class PassTwo(NamedTuple):
    """What `add_edges` needs beside the range of clicks."""

    items: ItemColumns
    edges: Edges
    rules: EdgeRules
    progress: Progress
    scratch: Scratch
    results: Results
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]


class StateArrays:
    """Users and items in arrays, changed click by click; knows nothing of disks.

    The result depends on the clicks and their order alone, not on how they are cut into batches.

    Parameters
    ----------
    config
        The shape of the state.
    weights
        float64 [events], what each event code is worth (see `EventRules.weights`).
    users
        How many users to expect; more find room too.

    Examples
    --------
    >>> import numpy as np
    >>> from gsr.counters.config import StateConfig
    >>> arrays = StateArrays(StateConfig(), np.array([1.0]))
    >>> arrays.item_row("no such item")
    -1
    """

    def __init__(
        self, config: StateConfig, weights: npt.NDArray[np.float64], *, users: int = _FEW_USERS
    ) -> None:
        self.config = config
        self.users = UserSlots(config.buffer_length, users)
        self.items = ItemRows(len(config.half_lives))
        self.items_removed = 0
        self.progress = Progress(
            watermark=np.full(1, -np.inf),
            dirty_bytes=np.zeros(1, dtype=np.int64),
            loads=np.zeros(1, dtype=np.int64),
        )
        padded = np.zeros(_EVENT_CODES)
        padded[: len(weights)] = weights
        self._half_lives = np.array(config.half_lives, dtype=np.float64)
        item_ttl = config.item_ttl_seconds
        self._buffer_rules = BufferRules(
            weights=padded,
            window=np.array(config.window_weights, dtype=np.float64),
            session_gap=_or_infinite(config.session_gap_seconds),
            user_ttl=_or_infinite(config.user_ttl_seconds),
            item_step=0.0 if item_ttl is None else item_ttl / _EXPIRY_STEPS,
            max_items=config.max_items,
            seen_items=config.seen_items,
            largest_block=2 * block_size(max(1, config.seen_items)),
            buffer_length=config.buffer_length,
        )
        scales = len(config.half_lives)
        self._scratch = Scratch(
            whole=np.zeros(scales, dtype=np.int64),
            scale=np.zeros(scales, dtype=np.float64),
            kept=np.zeros(config.row_slots, dtype=np.bool_),
            weights=np.zeros(config.row_slots, dtype=np.float32),
        )
        edges_per_click = 2 * len(config.window_weights)
        self._edge_rules = EdgeRules(
            weights=padded,
            half_lives=self._half_lives,
            row_slots=config.row_slots,
            kept_per_scale=config.kept_per_scale,
            room_per_click=edges_per_click * 2 * block_size(config.row_slots),
        )

    @property
    def watermark(self) -> float:
        """Newest event time of any click so far; -inf before the first."""
        return float(self.progress.watermark[0])

    @property
    def item_ids(self) -> Sequence[str | None]:
        """Item ids by row; None where a row is free."""
        return [self.items.id_of(row) for row in range(self.items.used)]

    def item_row(self, item_id: str) -> int:
        """Return the item's row, -1 for an unknown item."""
        return self.items.find(item_id)

    def item_rows(self, item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row of each item, int64 [n], -1 for unknown ones."""
        return self.items.table.find(IdColumn.of(item_ids))

    def apply(self, batch: ClickBatch) -> Applied:
        """Apply all of `batch`: buffers, edges, popularity."""
        applied = self._new_applied(batch, 0, record_histories=False)
        while applied.stop < len(batch):
            start = applied.stop
            self._push(batch, applied, start)
            self.apply_edges(applied, start, applied.stop)
        return applied

    def apply_buffers(
        self, batch: ClickBatch, start: int = 0, *, record_histories: bool = False
    ) -> Applied:
        """Apply clicks from row `start` on to the users' buffers only.

        New items get rows, but are alive only after `apply_edges` of their first click. Stops
        before a row at which items must leave (see `Applied.stop`): finish `apply_edges` for what
        was processed, then call again from there.
        """
        applied = self._new_applied(batch, start, record_histories=record_histories)
        while applied.stop < len(batch) and self._push(batch, applied, start):
            pass
        return applied

    def apply_edges(self, applied: Applied, start: int, stop: int) -> None:
        """Add edges and popularity of rows ``start : stop``; every row once, in order."""
        while start < stop:
            start = add_edges(*self.pass_two(applied), start, stop)
            if start < stop:
                self.reserve_edges()

    def pass_two(self, applied: Applied) -> PassTwo:
        """Return the first arguments of `add_edges`, for kernels that look at each click too.

        They are valid until the next change, `reserve_edges` included.
        """
        return PassTwo(
            self.items.columns,
            self.items.edges,
            self._edge_rules,
            self.progress,
            self._scratch,
            _results(applied),
            applied.times,
            applied.events,
        )

    def reserve_edges(self) -> None:
        """Make room for the edges of some more clicks, after `add_edges` had too little."""
        self.items.reserve_edges(_SPACE_STEP * self._edge_rules.room_per_click)

    def graph(self) -> ItemGraph:
        """Return views of the counters, valid until the next change."""
        columns = self.items.columns
        used = self.items.used
        return ItemGraph(
            half_lives=self._half_lives,
            row_starts=columns.row_starts[:used],
            row_lengths=columns.row_lengths[:used],
            row_references=columns.row_references[:used],
            neighbours=self.items.edges.neighbours.slots,
            weights=self.items.edges.weights,
            popularity=columns.popularity[:used],
            popularity_references=columns.popularity_references[:used],
            last_clicks=columns.last_clicks[:used],
            alive=columns.alive[:used],
        )

    def user_buffer(self, user_id: str) -> UserBuffer | None:
        """Return a copy of what is known of a user; None for an unknown or expired one."""
        return self.user_buffers(IdColumn.of([user_id]))[0]

    def user_buffers(self, user_ids: IdColumn) -> list[UserBuffer | None]:
        """Return a copy of what is known of each user; None for unknown and expired ones."""
        found = self.users.slots if self.users.source is not None else self.users.table.find
        return [self._buffer(slot) for slot in found(user_ids).tolist()]

    def _buffer(self, slot: int) -> UserBuffer | None:
        """Return a copy of what a slot holds."""
        if slot < 0:
            return None
        columns = self.users.columns
        length = int(columns.lengths[slot])
        if length == 0:
            return None
        buffers = columns.buffers
        start = int(columns.blocks[slot]) + int(columns.firsts[slot])
        clicks = slice(start, start + length)
        if buffers.times[clicks.stop - 1] < self.watermark - self._buffer_rules.user_ttl:
            return None
        indexes = buffers.items[clicks].astype(np.int64)
        known = indexes < self.items.next_index
        items = np.full(length, -1, dtype=np.int64)
        items[known] = self.items.columns.rows[indexes[known]]
        return UserBuffer(
            items=items,
            fingerprints=buffers.fingerprints[clicks].copy(),
            times=buffers.times[clicks].copy(),
            events=buffers.events[clicks].copy(),
            hashes=buffers.hashes[clicks].copy(),
            seen=seen_of(columns, self.users.seen, slot),
            source_offset=int(columns.source_offsets[slot]),
            accepted_at=float(columns.accepted_at[slot]),
        )

    def load_user(self, user_id: str, buffer: UserBuffer) -> None:
        """Take over a user with item *rows* of these arrays; replaces what was known."""
        self.forget(user_id)
        slot = self.users.slot(user_id)
        kept = slice(max(0, len(buffer) - self.config.buffer_length), None)
        rows = buffer.items[kept]
        indexes = np.where(rows >= 0, self.items.columns.indexes[rows], GONE)
        clear_user(self.users.columns, self.users.seen, slot)
        self.users.give_room(np.array([slot]), np.array([len(rows)]))
        columns = self.users.columns
        buffers, start = columns.buffers, int(columns.blocks[slot])
        clicks = slice(start, start + len(rows))
        buffers.items[clicks] = indexes
        buffers.fingerprints[clicks] = buffer.fingerprints[kept]
        buffers.times[clicks] = buffer.times[kept]
        buffers.events[clicks] = buffer.events[kept]
        buffers.hashes[clicks] = buffer.hashes[kept]
        columns.source_offsets[slot] = buffer.source_offset
        columns.accepted_at[slot] = buffer.accepted_at
        for mark in buffer.seen:
            self.users.reserve_seen(self._buffer_rules.largest_block)
            remember(columns, self.users.seen, slot, mark, self.config.seen_items)
        columns.dirty[slot] = 1
        columns.seen_dirty[slot] = 1

    def forget(self, user_id: str) -> None:
        """Drop everything about a user who is in memory."""
        slot = self.users.find(user_id)
        if slot >= 0:
            self.users.drop(slot)

    def evict_users(self, keep: int, keep_bytes: float = math.inf) -> int:
        """Let go of the clean users touched longest ago; return how many left.

        Until `keep` remain, who take no more than `keep_bytes` of memory. Only users unchanged
        since `mark_clean` may leave.
        """
        return self.users.evict(keep, keep_bytes)

    def mark_clean(self) -> None:
        """Note that everything has been written, or need not be."""
        self.users.mark_clean()
        self.items.mark_clean()
        self.progress.dirty_bytes[0] = 0

    def absorb(self, table: ItemTable, *, keep_indexes: bool = False) -> npt.NDArray[np.int64]:
        """Add a partition's items and counters to these; return the row of each of its items.

        Items join by id: weights and popularity are summed, rows trimmed as usual.

        Parameters
        ----------
        table
            The partition's items.
        keep_indexes
            Give new items the indexes that the table says, which must be free.
        """
        rows = self.items.add(table.ids, table.indexes if keep_indexes else None)
        graph = table.graph
        room = 4 * block_size(self.config.row_slots)
        start = 0
        while start < len(rows):
            self.items.reserve_edges(_SPACE_STEP * room)
            start = merge_table(
                self.items.columns,
                self.items.edges,
                self._edge_rules,
                self._scratch,
                rows,
                table.created_at,
                graph.last_clicks,
                graph.popularity,
                graph.popularity_references,
                graph.row_starts,
                graph.row_lengths,
                graph.row_references,
                graph.neighbours,
                graph.weights,
                start,
                room,
            )
        return rows

    def remove_items(self, rows: npt.NDArray[np.int64]) -> None:
        """Drop items, their rows, and every edge to them; the rows may be used again."""
        if len(rows) > 0:
            self.items.remove(rows)
            self.items_removed += len(rows)

    def _push(self, batch: ClickBatch, applied: Applied, pending: int) -> bool:
        """Continue pass 1 for some clicks.

        Parameters
        ----------
        batch, applied
            The clicks, and how far they are.
        pending
            The first click whose edges may still be to come: items leave only before it.

        Returns
        -------
        False where items must leave, but edges are still to come.
        """
        start, stop = applied.stop, min(applied.stop + _CLICKS_AT_ONCE, len(batch))
        users = IdColumn.of(batch.user_ids[start:stop])
        applied.user_slots[start:stop] = self.users.slots(users)
        clicks, unknown = self._clicks(batch, applied, start, stop)
        results = _results(applied)
        reason = -1
        while reason != DONE:
            applied.stop, reason = push_clicks(
                self.users.columns,
                self.users.seen,
                self.items.columns,
                clicks,
                self._buffer_rules,
                results,
                self.progress,
                applied.stop,
                stop,
            )
            if reason == SPACE:
                self.users.reserve_seen(_SPACE_STEP * self._buffer_rules.largest_block)
                self.users.reserve_clicks(_SPACE_STEP * full_capacity(self.config.buffer_length))
            elif reason != DONE and applied.stop > pending:
                break
            elif reason != DONE:
                self._expire_items(reason, float(batch.times[pending]))
                clicks, unknown = self._clicks(batch, applied, start, stop)
        self.items.name(clicks.unknown_rows, unknown)
        return reason == DONE

    def _clicks(
        self, batch: ClickBatch, applied: Applied, start: int, stop: int
    ) -> tuple[Clicks, IdColumn]:
        """Look up the items of clicks ``start : stop``; the unknown ones get room."""
        items = np.empty(stop, dtype=np.int64)
        wanted = IdColumn.of(batch.item_ids[start:stop])
        items[start:], unknown = self.items.find_all(wanted)
        self.items.reserve(len(unknown))
        clicks = Clicks(
            slots=applied.user_slots,
            items=items,
            times=batch.times,
            events=batch.events,
            hashes=batch.hashes,
            forget=batch.forget,
            offsets=batch.offsets,
            append_times=batch.append_times,
            unknown_rows=np.full(len(unknown), -1, dtype=np.int64),
            unknown_fingerprints=fingerprints_of(unknown),
        )
        return clicks, unknown

    def _expire_items(self, reason: int, time: float) -> None:
        """Let items leave: the oldest ones for room, or those without clicks for too long."""
        if reason == ITEMS_OVERFLOW:
            leaving = self.items.oldest(max(1, self.config.max_items // _EXPIRY_STEPS))
        else:
            self.progress.watermark[0] = time
            leaving = self.items.clicked_before(time - _or_infinite(self.config.item_ttl_seconds))
        self.remove_items(leaving)

    def _new_applied(self, batch: ClickBatch, start: int, *, record_histories: bool) -> Applied:
        """Return room for the outcomes of a batch."""
        n = len(batch)
        edges = (n - start) * 2 * len(self.config.window_weights)
        histories = n if record_histories else 0
        clicks = (histories, self.config.buffer_length)
        return Applied(
            start=start,
            stop=start,
            outcomes=np.zeros(n, dtype=np.uint8),
            user_slots=np.full(n, -1, dtype=np.int64),
            item_rows=np.full(n, -1, dtype=np.int64),
            item_indexes=np.full(n, -1, dtype=np.int64),
            times=batch.times,
            events=batch.events,
            edge_starts=np.zeros(n + 1, dtype=np.int64),
            edge_sources=np.empty(edges, dtype=np.int64),
            edge_targets=np.empty(edges, dtype=np.int64),
            edge_weights=np.empty(edges, dtype=np.float64),
            edge_times=np.empty(edges, dtype=np.float64),
            history_items=np.full(clicks, -1, dtype=np.int64),
            history_times=np.zeros(clicks, dtype=np.float64),
            history_events=np.zeros(clicks, dtype=np.uint8),
            history_lengths=np.zeros(histories, dtype=np.int64),
        )


def _results(applied: Applied) -> Results:
    """Return the columns of `applied` that kernels use."""
    return Results(
        outcomes=applied.outcomes,
        item_rows=applied.item_rows,
        item_indexes=applied.item_indexes,
        edge_starts=applied.edge_starts,
        edge_sources=applied.edge_sources,
        edge_targets=applied.edge_targets,
        edge_weights=applied.edge_weights,
        edge_times=applied.edge_times,
        history_items=applied.history_items,
        history_times=applied.history_times,
        history_events=applied.history_events,
        history_lengths=applied.history_lengths,
    )


def _or_infinite(seconds: float | None) -> float:
    """Return a limit that nothing passes in place of None."""
    return math.inf if seconds is None else seconds
