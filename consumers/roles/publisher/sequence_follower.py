"""Updates of the table of users by records of `sequences`."""

import logging
from collections.abc import Callable, Iterator

from consumers.roles.publisher.sequence_facts import decode_sequence_facts
from consumers.roles.publisher.user_table import NOWHERE, UserTable
from stream.errors import RecordFormatError
from stream.log.interface import RecordBatch

_LOGGER = logging.getLogger(__name__)


def follow_sequences(
    batch: RecordBatch,
    users: UserTable,
    *,
    add_forgotten: bool = False,
    foreign: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, bytes | None]]:
    """Note the sequences of a batch; yield each changed user's row with the record's value.

    The value of a tombstone is None: its user is still in the table, but without a sequence. A
    record whose click is not newer than the one that is known changes only where the record is
    found: after a crash ingest repeats itself.

    Parameters
    ----------
    batch
        Records of the topic, tombstones included.
    users
        Changed row by row, just before each row is yielded.
    add_forgotten
        Give a forgotten user who is not in the table a row there, so that it is yielded.
    foreign
        Called for each record that is none of ours.
    """
    for offset, key, value in zip(batch.offsets.tolist(), batch.keys, batch.values, strict=True):
        user_id = (key or b"").decode(errors="replace")
        if value is None:
            row = users.row_of(user_id)
            if row < 0 and add_forgotten:
                row = users.add(user_id, batch.partition)
            if row >= 0:
                users.sequence_offsets[row] = NOWHERE
                users.click_offsets[row] = NOWHERE
                yield row, None
            continue
        try:
            facts = decode_sequence_facts(value)
        except RecordFormatError as error:
            _LOGGER.warning("%s: a record of %r is ignored: %s", batch.topic, user_id, error)
            foreign()
            row = users.row_of(user_id)
            if row >= 0 and users.sequence_offsets[row] == NOWHERE:
                users.sequence_offsets[row] = offset  # whoever has a record was not forgotten
            continue
        row = users.add(user_id, batch.partition)
        users.sequence_offsets[row] = offset
        known, listed = users.click_offsets[row], users.listed_click_offsets[row]
        # The same click again counts while its list is owed: its earlier record may be gone.
        if facts.source_offset > known or facts.source_offset == known > listed:
            users.click_offsets[row] = facts.source_offset
            users.click_times[row] = facts.last_click_at
            users.accepted_times[row] = facts.accepted_at
            yield row, value
