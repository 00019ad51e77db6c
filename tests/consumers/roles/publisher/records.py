"""Records of `sequences` and `recommendations` made by hand."""

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
