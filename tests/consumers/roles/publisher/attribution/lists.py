"""Clicks and lists made by hand, to hold one against the other."""

from collections.abc import Sequence

import numpy as np

from consumers.roles.publisher.user_table import (
    NOWHERE,
    REASONS,
    ListOrigins,
    UserTable,
    list_columns,
)
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import IdColumn
from stream.events.clicks.codec import NamedLists
from stream.events.records.recommendation import Reason, ScoredItem


def give_list(
    users: UserTable,
    user: str,
    items: Sequence[str],
    *,
    made_at: float,
    click: int = NOWHERE,
    version: int = 0,
    reason: Reason = "click",
    number: int = 0,
    restored: bool = False,
) -> int:
    """Note a list in the table; return the user's row."""
    row = users.add(user, 0)
    origins = ListOrigins(
        click_offsets=np.array([click]),
        versions=np.array([version]),
        made_at=np.array([made_at]),
        reasons=np.array([REASONS.index(reason)], dtype=np.uint8),
        numbers=np.array([number], dtype=np.uint64),
    )
    columns = list_columns([[ScoredItem(item, 1.0) for item in items]])
    users.set_lists(np.array([row]), origins, columns, restored=restored)
    return row


def clicks_of(*clicks: tuple[str, str, int, float]) -> ClickBatch:
    """Return clicks of (user, item, offset, append time)."""
    n = len(clicks)
    return ClickBatch(
        user_ids=IdColumn.of([user for user, *_ in clicks]),
        item_ids=IdColumn.of([item for _, item, *_ in clicks]),
        times=np.zeros(n),
        events=np.zeros(n, dtype=np.uint8),
        hashes=np.zeros(n, dtype=np.uint64),
        forget=np.zeros(n, dtype=np.bool_),
        offsets=np.array([offset for *_, offset, _ in clicks], dtype=np.int64),
        append_times=np.array([time for *_, time in clicks]),
    )


def naming(*lists: tuple[str | None, int]) -> NamedLists:
    """Return what clicks say of their lists: (list id, position)."""
    ids = [None if text is None else text.encode() for text, _ in lists]
    positions = np.array([position for _, position in lists], dtype=np.int32)
    return NamedLists(ByteColumn.of(ids), positions)
