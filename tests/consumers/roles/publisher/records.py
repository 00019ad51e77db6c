"""Records of `sequences` and `recommendations` made by hand, and what the table keeps of them."""

from collections.abc import Sequence

import numpy as np

from consumers.roles.publisher.user_table import ListOrigins, UserTable, list_columns
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord


def sequence_of(user: str, *, source_offset: int, clicked_at: float = 0.0) -> SequenceRecord:
    """Return a user's sequence of one click at `source_offset`."""
    return SequenceRecord(
        user_id=user,
        items=["i"],
        times=[clicked_at],
        events=["click"],
        source_partition=0,
        source_offset=source_offset,
        next_offset=source_offset + 1,
        last_click_at=clicked_at,
        accepted_at=clicked_at + 1.0,
    )


def list_of(
    user: str, *items: str, source_offset: int | None = None, version: int = 0
) -> Recommendation:
    """Return a user's list."""
    return Recommendation(
        user_id=user,
        items=[ScoredItem(item, 1.0) for item in items],
        model_version=version,
        generated_at=0.0,
        reason="click",
        source_offset=source_offset,
    )


def note_list(
    table: UserTable, row: int, click_offset: int, version: int, items: Sequence[ScoredItem]
) -> None:
    """Note the list that one user has got."""
    origins = ListOrigins(
        click_offsets=np.array([click_offset]),
        versions=np.array([version]),
        made_at=np.zeros(1),
        reasons=np.zeros(1, dtype=np.uint8),
        numbers=np.zeros(1, dtype=np.uint64),
    )
    table.set_lists(np.array([row]), origins, list_columns([items]))
