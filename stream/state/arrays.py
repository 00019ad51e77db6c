"""State of a partition in memory: users, items, their graph, and how clicks change them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stream.events.click import ClickBatch
from stream.state.applied import Applied
from stream.state.config import StateConfig
from stream.state.graph_arrays import GraphArrays, ItemTable
from stream.state.user_buffer import UserBuffer


class StateArrays:
    """Users and items in arrays, changed click by click; knows nothing of disks.

    The result depends on the clicks and their order alone, not on how they are cut into batches.

    Parameters
    ----------
    config
        The shape of the state.
    weights
        float64 [events], what each event code is worth (see `EventRules.weights`).
    """

    def __init__(self, config: StateConfig, weights: npt.NDArray[np.float64]) -> None:
        raise NotImplementedError

    @property
    def watermark(self) -> float:
        """Newest event time of any click so far; -inf before the first."""
        raise NotImplementedError

    @property
    def item_ids(self) -> Sequence[str | None]:
        """Item ids by row; None where a row is free. Do not change it."""
        raise NotImplementedError

    def item_row(self, item_id: str) -> int:
        """Return the item's row, -1 for an unknown item."""
        raise NotImplementedError

    def apply(self, batch: ClickBatch) -> Applied:
        """Apply all of `batch`: buffers, edges, popularity."""
        raise NotImplementedError

    def apply_buffers(
        self, batch: ClickBatch, start: int = 0, *, record_histories: bool = False
    ) -> Applied:
        """Apply clicks from row `start` on to the users' buffers only.

        New items get rows, but are alive only after `apply_edges` of their first click. Stops
        before a row at which items must leave (see `Applied.stop`): finish `apply_edges` for what
        was processed, then call again from there.
        """
        raise NotImplementedError

    def apply_edges(self, applied: Applied, start: int, stop: int) -> None:
        """Add edges and popularity of rows ``start : stop``; every row once, in order."""
        raise NotImplementedError

    def graph(self) -> GraphArrays:
        """Return views of the counters, valid until the next change."""
        raise NotImplementedError

    def user_buffer(self, user_id: str) -> UserBuffer | None:
        """Return a copy of what is known of a user; None for an unknown or expired one."""
        raise NotImplementedError

    def load_user(self, user_id: str, buffer: UserBuffer) -> None:
        """Take over a user with item *rows* of these arrays; replaces what was known."""
        raise NotImplementedError

    def forget(self, user_id: str) -> None:
        """Drop everything about a user."""
        raise NotImplementedError

    def evict_users(self, keep: int) -> int:
        """Let go of the users touched longest ago until `keep` remain; return how many left."""
        raise NotImplementedError

    def absorb(self, table: ItemTable) -> npt.NDArray[np.int64]:
        """Add a partition's items and counters to these; return the row of each of its items.

        Items join by id: weights and popularity are summed, rows trimmed as usual.
        """
        raise NotImplementedError

    def remove_items(self, rows: npt.NDArray[np.int64]) -> None:
        """Drop items, their rows, and every edge to them; the rows may be used again."""
        raise NotImplementedError
