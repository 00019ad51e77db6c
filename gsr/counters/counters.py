"""The counters of a partition in memory: users, items and their graph, changed by clicks."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.arena import block_size
from gsr.counters.click_batch import ClickBatch, ClickColumns
from gsr.counters.config import CounterConfig
from gsr.counters.ids.fingerprint import fingerprints_of
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.items.edge_kernel import EdgeArguments, add_edges
from gsr.counters.items.edge_rows import new_scratch, whole_graph_of
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.items.merge_kernel import merge_items
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.progress import new_progress
from gsr.counters.rules import EXPIRY_STEPS, buffer_rules, edge_rules, or_infinite
from gsr.counters.users.buffer_arena import full_capacity
from gsr.counters.users.buffer_kernel import DONE, ITEMS_OVERFLOW, SPACE, push_clicks
from gsr.counters.users.user_buffer import UserBuffer
from gsr.counters.users.user_slots import UserSlots

FEW_USERS: Final = 16_384
"""Users for whom there is address space where nobody says how many to expect."""

_CLICKS_AT_ONCE = 4096  # so that looking items up again after some left stays cheap
_SPACE_STEP = 16  # full rows, so that a growing arena is not asked for at every click


class Counters:
    """User buffers, item graph and popularity, changed click by click.

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
    >>> from gsr.counters.config import CounterConfig
    >>> counters = Counters(CounterConfig(), np.array([1.0]))
    >>> counters.item_rows(["no such item"]).tolist()
    [-1]
    """

    def __init__(
        self, config: CounterConfig, weights: npt.NDArray[np.float64], *, users: int = FEW_USERS
    ) -> None:
        self.config = config
        self.users = UserSlots(config.buffer_length, users)
        scales, close_scales = len(config.half_lives), len(config.close_half_lives)
        self.items = ItemRows(scales, close_scales=close_scales)
        self.items_removed = 0
        self.progress = new_progress()
        self._buffer_rules = buffer_rules(config, weights)
        self._edge_rules = edge_rules(config, weights)
        self._scratch = new_scratch(
            scales + close_scales, config.row_slots, pairs=config.pairs_per_click
        )

    @property
    def watermark(self) -> float:
        """Newest event time of any click so far; -inf before the first."""
        return float(self.progress.watermark[0])

    @property
    def item_ids(self) -> Sequence[str | None]:
        """Item ids by row; None where a row is free."""
        return [self.items.id_of(row) for row in range(self.items.used)]

    def item_rows(self, item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row of each item, int64 [n], -1 for unknown ones."""
        return self.items.table.find(IdColumn.of(item_ids))

    def apply(self, batch: ClickBatch) -> AppliedClicks:
        """Apply all of `batch`: buffers, edges, popularity."""
        applied = self._new_applied(batch, 0, record_histories=False)
        while applied.stop < len(batch):
            start = applied.stop
            self._push(batch, applied, start)
            self.apply_edges(applied, start, applied.stop)
        return applied

    def apply_buffers(
        self, batch: ClickBatch, start: int = 0, *, record_histories: bool = False
    ) -> AppliedClicks:
        """Apply clicks from row `start` on to the users' buffers only.

        New items get rows, but are alive only after `apply_edges` of their first click. Stops
        before a row at which items must leave (see `AppliedClicks.stop`): finish `apply_edges`
        for what was processed, then call again from there.
        """
        applied = self._new_applied(batch, start, record_histories=record_histories)
        while applied.stop < len(batch) and self._push(batch, applied, start):
            pass
        return applied

    def apply_edges(self, applied: AppliedClicks, start: int, stop: int) -> None:
        """Add edges and popularity of rows ``start : stop``; every row once, in order."""
        while start < stop:
            start = add_edges(*self.edge_arguments(applied), start, stop)
            if start < stop:
                self.reserve_edges()

    def edge_arguments(self, applied: AppliedClicks) -> EdgeArguments:
        """Return the first arguments of `add_edges`, for kernels that look at each click too.

        They are valid until the next change, `reserve_edges` included.
        """
        return EdgeArguments(
            self.items.columns,
            self.items.edges,
            self._edge_rules,
            self.progress,
            self._scratch,
            applied.columns(),
            applied.times,
            applied.events,
        )

    def reserve_edges(self) -> None:
        """Make room for the edges of some more clicks, after `add_edges` had too little."""
        self.items.reserve_edges(_SPACE_STEP * self._edge_rules.room_per_click)

    def graph(self) -> ItemGraph:
        """Return views of the counters, valid until the next change."""
        return whole_graph_of(self._edge_rules, self.items.columns, self.items.edges)

    def user_buffer(self, user_id: str) -> UserBuffer | None:
        """Return a copy of what is known of a user; None for an unknown or expired one."""
        return self.user_buffers(IdColumn.of([user_id]))[0]

    def user_buffers(self, user_ids: IdColumn) -> list[UserBuffer | None]:
        """Return a copy of what is known of each user; None for unknown and expired ones."""
        found = self.users.slots if self.users.source is not None else self.users.table.find
        horizon = self.watermark - self._buffer_rules.user_ttl
        return [
            self.users.read(slot, self.items.columns, horizon) for slot in found(user_ids).tolist()
        ]

    def load_user(self, user_id: str, buffer: UserBuffer) -> None:
        """Take over a user with item *rows* of these counters; replaces what was known."""
        self.forget(user_id)
        self.users.write(
            self.users.slot(user_id), buffer, self.items.columns, self.config.seen_items
        )

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

    def absorb(
        self, partition: PartitionItems, *, keep_indexes: bool = False
    ) -> npt.NDArray[np.int64]:
        """Add a partition's items and counters to these; return the row of each of its items.

        Items join by id: weights and popularity are summed, rows trimmed as usual.

        Parameters
        ----------
        partition
            Its items.
        keep_indexes
            Give new items the indexes that the partition says, which must be free.
        """
        rows = self.items.add(partition.ids, partition.indexes if keep_indexes else None)
        room = 4 * block_size(self.config.row_slots)
        start = 0
        while start < len(rows):
            self.items.reserve_edges(_SPACE_STEP * room)
            start = merge_items(
                self.items.columns,
                self.items.edges,
                self._edge_rules,
                self._scratch,
                rows,
                partition.created_at,
                partition.graph,
                start,
                room,
            )
        return rows

    def remove_items(self, rows: npt.NDArray[np.int64]) -> None:
        """Drop items, their rows, and every edge to them; the rows may be used again."""
        if len(rows) > 0:
            self.items.remove(rows)
            self.items_removed += len(rows)

    def _push(self, batch: ClickBatch, applied: AppliedClicks, pending: int) -> bool:
        """Continue the first pass for some clicks.

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
        results = applied.columns()
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
        self, batch: ClickBatch, applied: AppliedClicks, start: int, stop: int
    ) -> tuple[ClickColumns, IdColumn]:
        """Look up the items of clicks ``start : stop``; the unknown ones get room."""
        items = np.empty(stop, dtype=np.int64)
        wanted = IdColumn.of(batch.item_ids[start:stop])
        items[start:], unknown = self.items.find_all(wanted)
        self.items.reserve(len(unknown))
        clicks = ClickColumns(
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
            leaving = self.items.oldest(max(1, self.config.max_items // EXPIRY_STEPS))
        else:
            self.progress.watermark[0] = time
            leaving = self.items.clicked_before(time - or_infinite(self.config.item_ttl_seconds))
        self.remove_items(leaving)

    def _new_applied(
        self, batch: ClickBatch, start: int, *, record_histories: bool
    ) -> AppliedClicks:
        """Return room for the outcomes of a batch."""
        n = len(batch)
        edges = (n - start) * 2 * len(self.config.window_weights)
        pairs = (n - start) * self.config.pairs_per_click
        histories = n if record_histories else 0
        clicks = (histories, self.config.buffer_length)
        return AppliedClicks(
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
            pair_starts=np.zeros(n + 1, dtype=np.int64),
            pair_items=np.empty(pairs, dtype=np.int64),
            pair_weights=np.empty(pairs, dtype=np.float64),
            pair_times=np.empty(pairs, dtype=np.float64),
            pair_edges=np.empty(pairs, dtype=np.int64),
            history_items=np.full(clicks, -1, dtype=np.int64),
            history_times=np.zeros(clicks, dtype=np.float64),
            history_events=np.zeros(clicks, dtype=np.uint8),
            history_lengths=np.zeros(histories, dtype=np.int64),
        )
