"""Updates of the table of users by records of `sequences`."""

import numpy as np
import pytest

from consumers.roles.publisher.sequence_follower import follow_sequences
from consumers.roles.publisher.user_table import NOWHERE, UserTable
from stream.log.interface import RecordBatch
from tests.consumers.roles.publisher.records import note_list, sequence_of


@pytest.fixture
def users() -> UserTable:
    """Return a table with user `u`, whose click 5 is known by the record at offset 10."""
    users = UserTable(list_length=2)
    follow(users, (b"u", sequence_of("u", source_offset=5, clicked_at=50.0).encode()), at=10)
    return users


def batch_of(*records: tuple[bytes, bytes | None], at: int) -> RecordBatch:
    return RecordBatch(
        topic="sequences",
        partition=1,
        offsets=np.arange(at, at + len(records)),
        append_times=np.zeros(len(records)),
        keys=[key for key, _ in records],
        values=[value for _, value in records],
    )


def follow(
    users: UserTable,
    *records: tuple[bytes, bytes | None],
    at: int,
    add_forgotten: bool = False,
) -> list[tuple[int, bool]]:
    """Return the changed rows, and whether each has a sequence."""
    changes = follow_sequences(batch_of(*records, at=at), users, add_forgotten=add_forgotten)
    return [(row, value is not None) for row, value in changes]


def test_a_new_click_changes_its_user(users: UserTable) -> None:
    """Where the record is, which click it knows of, and when that was made and accepted."""
    row = users.row_of("u")
    value = sequence_of("u", source_offset=6, clicked_at=60.0).encode()
    assert follow(users, (b"u", value), at=11) == [(row, True)]
    assert (users.sequence_offsets[row], users.click_offsets[row]) == (11, 6)
    assert (users.click_times[row], users.accepted_times[row]) == (60.0, 61.0)
    assert users.partitions[row] == 1


def test_a_repeated_record_only_moves(users: UserTable) -> None:
    """After a crash ingest says the same again: its user has nothing to wait for but the list."""
    row = users.row_of("u")
    note_list(users, row, 5, 0, [])
    repeated = (b"u", sequence_of("u", source_offset=5).encode())
    assert follow(users, repeated, at=12) == []
    assert (users.sequence_offsets[row], users.click_times[row]) == (12, 50.0)
    older = (b"u", sequence_of("u", source_offset=4).encode())
    assert follow(users, older, at=13) == []
    assert (users.sequence_offsets[row], users.click_offsets[row]) == (13, 5)


def test_a_repeated_record_counts_while_its_list_is_owed(users: UserTable) -> None:
    """Its earlier record may be gone."""
    repeated = (b"u", sequence_of("u", source_offset=5).encode())
    assert follow(users, repeated, at=12) == [(users.row_of("u"), True)]


def test_a_tombstone_leaves_a_user_without_a_sequence(users: UserTable) -> None:
    """The user stays in the table until the list is withdrawn."""
    row = users.row_of("u")
    assert follow(users, (b"u", None), at=11) == [(row, False)]
    assert users.sequence_offsets[row] == users.click_offsets[row] == NOWHERE


@pytest.mark.parametrize("add_forgotten", [False, True])
def test_a_tombstone_of_a_stranger(users: UserTable, add_forgotten: bool) -> None:
    """Passed over, unless those who left memory may have a list."""
    changes = follow(users, (b"gone", None), at=11, add_forgotten=add_forgotten)
    assert changes == ([(users.row_of("gone"), False)] if add_forgotten else [])
    assert (users.row_of("gone") >= 0) == add_forgotten


def test_a_foreign_record_is_counted_and_forgets_nobody(users: UserTable) -> None:
    """Whoever has any record at all was not forgotten."""
    row = users.row_of("u")
    follow(users, (b"u", None), at=11)
    counted: list[int] = []
    batch = batch_of((b"u", b"{oops"), (b"v", b"{oops"), at=12)
    assert not list(follow_sequences(batch, users, foreign=lambda: counted.append(1)))
    assert len(counted) == 2
    assert users.sequence_offsets[row] == 12
    assert users.row_of("v") < 0
