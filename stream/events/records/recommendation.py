"""The recommendation record: a user's list as consumers read it."""

from typing import Final, Literal, TypeAlias

import msgspec

from stream.events.records.record_json import decode_record

RECOMMENDATION_SCHEMA_VERSION: Final = 1

Reason: TypeAlias = Literal["click", "model", "items", "cold"]


class ScoredItem(msgspec.Struct, frozen=True):
    """An item of a list and its score; scores compare only within one list."""

    item_id: str
    score: float


class Recommendation(msgspec.Struct, kw_only=True, frozen=True):
    """A user's list (topic `recommendations`, key = user id), or the default list.

    Parameters
    ----------
    user_id
        The user; "" in the default list.
    items
        Best first.
    model_version
        Which model scored it; 0: none yet. Never decreases for a user.
    generated_at
        When it was made, seconds since the epoch.
    last_click_at
        Event time of the newest click that it knows of; None: of none.
    reason
        What made it due: a click, a new model, changed items; or a user without clicks.
    source_offset
        Offset in `clicks` of the newest click that it knows of; None: of none.
    list_id
        Tells it from the user's other lists; the same list sent again has the same one. None in
        records from before there were any.
    schema_version
        The version of this layout.
    """

    user_id: str
    items: list[ScoredItem]
    model_version: int
    generated_at: float
    reason: Reason
    last_click_at: float | None = None
    source_offset: int | None = None
    list_id: str | None = None
    schema_version: int = RECOMMENDATION_SCHEMA_VERSION

    def encode(self) -> bytes:
        """Return the record's value."""
        return _ENCODER.encode(self)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Recommendation)


def decode_recommendation(value: bytes) -> Recommendation:
    """Decode the value of a record of `recommendations` or `recommendations-default`.

    Raises
    ------
    RecordFormatError
        `value` is not a recommendation.
    """
    return decode_record(_DECODER, value, RECOMMENDATION_SCHEMA_VERSION)
