"""The publisher's table says who is due and who holds what."""

import numpy as np
import pytest

from consumers.roles.publisher.user_table import NOWHERE, UserTable, list_columns
from gsr.counters.ids.fingerprint import fingerprint
from stream.events.records.recommendation import ScoredItem
from tests.consumers.roles.publisher.records import note_list


def _items(*ids: str) -> list[ScoredItem]:
    return [ScoredItem(item, 1.0) for item in ids]


def _clicked(table: UserTable, user: str, offset: int, sequence: int, accepted: float = 0.0) -> int:
    row = table.add(user, 0)
    table.sequence_offsets[row] = sequence
    table.click_offsets[row] = offset
    table.accepted_times[row] = accepted
    return row


def test_due_by_click() -> None:
    """A click past the list's makes a user due, in the order of the log."""
    table = UserTable(2)
    late = _clicked(table, "late", 9, sequence=5)
    early = _clicked(table, "early", 4, sequence=2)
    done = _clicked(table, "done", 7, sequence=3)
    note_list(table, done, 7, 1, _items("a"))
    note_list(table, late, 8, 1, _items("a"))
    assert table.due_by_click().tolist() == [early, late]


def test_due_by_version() -> None:
    """A list older than the model that served at its user's click is due."""
    table = UserTable(2)
    for user, accepted in (("before", 4.0), ("after", 6.0)):
        row = _clicked(table, user, 1, sequence=1, accepted=accepted)
        note_list(table, row, 1, 1, _items("a"))
    served = np.where(table.accepted_times[:2] >= 5.0, 2, 1)
    assert [table.name_of(row) for row in table.due_by_version(served)] == ["after"]


def test_holding() -> None:
    """Lists that hold an item are found, short lists and long ones alike."""
    table = UserTable(2)
    for user, ids in (("x", ["a", "b"]), ("y", ["c"]), ("z", ["d", "e", "b"])):
        note_list(table, _clicked(table, user, 1, sequence=1), 1, 1, _items(*ids))
    marks = np.array([fingerprint("b")], dtype=np.uint32)
    assert [table.name_of(row) for row in table.holding(marks)] == ["x", "z"]


def test_rows_are_used_again_clean() -> None:
    """A new user in the row of one who left inherits nothing."""
    table = UserTable(2)
    row = _clicked(table, "old", 5, sequence=3, accepted=8.0)
    note_list(table, row, 5, 4, _items("a"))
    for _ in range(2):
        table.remove("old")
        assert table.row_of("old") == -1
    with pytest.raises(LookupError):
        table.name_of(row)
    assert table.add("new", 2) == row
    assert table.listed_versions[row] == table.click_offsets[row] == NOWHERE
    assert table.accepted_times[row] == 0.0
    assert not table.list_items[row].any()
    assert len(table) == 1


def test_grows_without_forgetting() -> None:
    """Thousands of users keep their facts while the arrays move."""
    table = UserTable(1)
    for n in range(5000):
        row = _clicked(table, f"u{n}", n, sequence=n)
        note_list(table, row, n, n, _items(f"i{n}"))
    assert table.extent == len(table) == 5000
    assert table.click_offsets[:5000].tolist() == list(range(5000))
    assert table.holding(np.array([fingerprint("i4321")], dtype=np.uint32)).tolist() == [4321]


def test_users_without_a_sequence_and_the_oldest() -> None:
    """A list without a sequence is that of a forgotten user; the oldest clicks leave first."""
    table = UserTable(1)
    note_list(table, table.add("gone", 0), 1, 1, _items("a"))
    for n, user in enumerate(["b", "c", "d"]):
        table.click_times[_clicked(table, user, n, sequence=n)] = n + 1.0
    assert table.listed_without_sequence(0) == ["gone"]
    assert table.listed_without_sequence(1) == []
    assert set(table.oldest(2)) == {"gone", "b"}
    assert len(table.oldest(99)) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [(["a", "b"], ["b", "a"]), (["ab"], ["a", "b"]), ([], ["a"]), (["a1:b"], ["a", "b"])],
)
def test_hashes_tell_lists_apart(one: list[str], other: list[str]) -> None:
    """Order and boundaries of the ids count; scores and longer lists beside it do not."""
    lists = [_items(*one), [ScoredItem(item, 2.0) for item in one], _items(*other)]
    first, again, second = list_columns(lists).hashes.tolist()
    assert first == again != second
    assert [first] == list_columns(lists[:1]).hashes.tolist()


def test_a_partition_that_is_not_known_yet_is_held_back() -> None:
    """Its users are in no answer until it is released; then they are."""
    table = UserTable(1)
    _clicked(table, "here", 1, sequence=1)
    row = table.add("there", 1)
    table.sequence_offsets[row], table.click_offsets[row] = 2, 2
    table.hold(1)
    assert [table.name_of(row) for row in table.due_by_click()] == ["here"]
    table.release(1)
    assert [table.name_of(row) for row in table.due_by_click()] == ["here", "there"]


def test_a_partition_leaves() -> None:
    """Its users and nobody else are forgotten."""
    table = UserTable(1)
    rows = [table.add(f"u{n}", n % 3) for n in range(9)]
    table.remove("u4")
    assert table.remove_partition(1) == [rows[1], rows[7]]
    assert [table.row_of(f"u{n}") >= 0 for n in range(9)] == [n % 3 != 1 for n in range(9)]
    assert table.remove_partition(7) == []
