"""Live counters of all partitions together, advanced click by click."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import MAX_ID_BYTES, IdColumn
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.stored_counters import load_counters
from gsr.counters.users.user_buffer import UserBuffer
from gsr.errors import SnapshotError

GENERATION_BITS: Final = 32
"""How often a row can change its item, in bits; what is above tells mirrors apart."""


class Mirror:
    """Buffers, item graph and popularity of all partitions together, in memory.

    Parameters
    ----------
    config
        The shape of each partition's state.
    event_weights
        What each event code is worth.
    partitions
        How many partitions come together here.

    Attributes
    ----------
    weights
        float64 [codes], of events.
    arrays
        The counters; rows of items that left are used again.
    first_generation
        Of rows that no item had before. A mirror that names its rows anew begins above all
        generations of the one before it.
    """

    def __init__(
        self, config: CounterConfig, event_weights: Sequence[float], partitions: int = 1
    ) -> None:
        config = replace(config, max_items=config.max_items * partitions)
        self.weights: npt.NDArray[np.float64] = np.array(event_weights, dtype=np.float64)
        self.arrays = Counters(config, self.weights)
        self.first_generation = 0
        self._generations: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._indexes: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._removed = 0

    @property
    def items(self) -> int:
        """How many item rows there are, free ones included (N)."""
        return self.arrays.items.used

    @property
    def generations(self) -> npt.NDArray[np.int64]:
        """How often each row has changed its item, int64 [N]."""
        return self._generations[: self.items]

    @property
    def item_ids(self) -> list[str]:
        """Item ids by row; "" where a row is free."""
        return [item_id or "" for item_id in self.arrays.item_ids]

    def graph(self) -> ItemGraph:
        """Return the counters as the model reads them; views, valid until the next change."""
        return self.arrays.graph()

    def push(
        self, batch: ClickBatch, start: int = 0
    ) -> tuple[AppliedClicks, npt.NDArray[np.int64]]:
        """Apply clicks from `start` on to the users' buffers, noting each one's history.

        Returns
        -------
        Their outcomes (see `Counters.apply_buffers`; edges are still to be added), and int64
        [c], the rows that now stand for another item or for none: forget what is kept of these.
        """
        applied = self.arrays.apply_buffers(batch, start, record_histories=True)
        if self._removed == self.arrays.items_removed:
            self._note_rows(applied.item_rows[start : applied.stop])
            return applied, np.zeros(0, dtype=np.int64)
        return applied, self._changed_rows()

    def name_rows(self, item_ids: list[str], generations: npt.NDArray[np.int64]) -> None:
        """Give items the rows that they had before a restart; to be called on an empty mirror.

        Parameters
        ----------
        item_ids
            N ids by row, "" for a free row.
        generations
            int64 [N].
        """
        # A free row gets a passing name, longer than any item id.
        passing = "x" * (MAX_ID_BYTES + 1)
        self.arrays.items.add([name or f"{passing}{row}" for row, name in enumerate(item_ids)])
        free = np.flatnonzero([not item_id for item_id in item_ids])
        self.arrays.remove_items(free)
        self._changed_rows()
        self._generations = generations.copy()
        highest = int(generations.max(initial=0))
        self.first_generation = highest >> GENERATION_BITS << GENERATION_BITS

    def load(
        self, arrays: Mapping[str, npt.NDArray[Any]], generations: npt.NDArray[np.int64]
    ) -> None:
        """Go on with counters of another mirror; to be called on an empty one of its shape.

        Parameters
        ----------
        arrays
            From `gsr.counters.stored_counters.counters_as_arrays`.
        generations
            int64 [N].

        Raises
        ------
        SnapshotError
            They do not fit together.
        """
        load_counters(self.arrays, arrays)
        if len(generations) != self.items:
            raise SnapshotError("there are not as many generations as item rows")
        self._changed_rows()
        self._generations = generations.astype(np.int64)

    def absorb(self, table: PartitionItems) -> npt.NDArray[np.int64]:
        """Add a partition's items and counters; return the row of each of its items."""
        rows = self.arrays.absorb(table)
        self._changed_rows()
        return rows

    def note_watermark(self, watermark: float) -> None:
        """Take over the newest event time of the absorbed partitions."""
        mark = self.arrays.progress.watermark
        mark[0] = max(mark[0], watermark)

    def let_users_go(self, keep: int) -> None:
        """Let users leave memory, those touched longest ago first, until `keep` remain.

        To be called when every user can be loaded again as they are.
        """
        self.arrays.mark_clean()
        self.arrays.evict_users(keep)

    def drop_dead(self) -> None:
        """Free the rows of items that no partition has any more."""
        taken = self.arrays.items.taken()
        self.arrays.remove_items(taken[~self.arrays.items.columns.alive[taken]])
        self._changed_rows()

    def load_users(
        self,
        buffers: Mapping[str, UserBuffer],
        names_of: Callable[[npt.NDArray[np.int64]], IdColumn],
    ) -> None:
        """Take over users of a partition; `names_of` gives the ids of its item indexes."""
        if not buffers:
            return
        indexes = np.concatenate([buffer.items for buffer in buffers.values()])
        rows = self.arrays.item_rows(names_of(indexes))
        stop = 0
        for user_id, buffer in buffers.items():
            start, stop = stop, stop + len(buffer)
            self.arrays.load_user(user_id, replace(buffer, items=rows[start:stop]))

    def unknown_users(self, user_ids: IdColumn) -> list[str]:
        """Return those of `user_ids` that are not in memory, each once."""
        unknown = np.flatnonzero(self.arrays.users.table.find(user_ids) < 0)
        return list(dict.fromkeys(user_ids.rows(unknown)))

    def _note_rows(self, rows: npt.NDArray[np.int64]) -> None:
        """Note `rows`, among which are all that were given to items meanwhile; no item has left."""
        self._reserve()
        rows = rows[rows >= 0]
        self._indexes[rows] = self.arrays.items.columns.indexes[rows]

    def _changed_rows(self) -> npt.NDArray[np.int64]:
        """Return the rows that stood for another item, or now stand for none, and count them.

        It looks at all rows: to be called where items may have left.
        """
        self._reserve()
        now = self.arrays.items.columns.indexes[: self.items]
        before = self._indexes[: self.items]
        changed = np.flatnonzero((before >= 0) & (before != now))
        self._generations[changed] += 1
        before[:] = now
        self._removed = self.arrays.items_removed
        return changed

    def _reserve(self) -> None:
        """Make room for what is noted of every row."""
        more = self.items - len(self._generations)
        if more > 0:
            more += self.items
            self._generations = np.pad(
                self._generations, (0, more), constant_values=self.first_generation
            )
        more = self.items - len(self._indexes)
        if more > 0:
            self._indexes = np.pad(self._indexes, (0, more + self.items), constant_values=-1)
