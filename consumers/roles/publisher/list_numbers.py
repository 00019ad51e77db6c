"""Lists of single users with their ids."""

import msgspec

from consumers.roles.publisher.user_table import list_columns
from stream.events.records.list_id import list_id, list_number
from stream.events.records.recommendation import Recommendation


def with_list_id(one: Recommendation) -> Recommendation:
    """Return a list with the id that belongs to what it holds."""
    items_hash = int(list_columns([one.items]).hashes[0])
    number = list_number(one.user_id, items_hash, one.source_offset, one.model_version)
    return msgspec.structs.replace(one, list_id=list_id(number))
