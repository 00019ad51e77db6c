"""The table of ids does what a dictionary does."""

from collections.abc import Iterator

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.ids.id_table import IdTable

IDS = st.lists(st.integers(0, 400).map(lambda n: f"id-{n}" * (1 + n % 40)), max_size=60)


def numbers_not_in(taken: dict[str, int]) -> Iterator[int]:
    """Yield numbers that belong to no id, the smallest first."""
    used = set(taken.values())
    return (number for number in range(10**6) if number not in used)


@settings(max_examples=100, deadline=None, stateful_step_count=30)
class TableLikeADictionary(RuleBasedStateMachine):
    """Adds, finds and removes ids in a table and in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.table = IdTable(1)
        self.expected: dict[str, int] = {}

    @rule(ids=IDS)
    def add(self, ids: list[str]) -> None:
        new = [text for text in dict.fromkeys(ids) if text not in self.expected]
        free = numbers_not_in(self.expected)
        numbers = [next(free) for _ in new]
        self.table.add(IdColumn.of(new), np.array(numbers, dtype=np.int64))
        self.expected.update(zip(new, numbers, strict=True))

    @rule(ids=IDS)
    def add_missing(self, ids: list[str]) -> None:
        column = IdColumn.of(ids)
        free = numbers_not_in(self.expected)
        fresh = np.array([next(free) for _ in ids], dtype=np.int64)
        numbers = self.table.find(column)
        rows = self.table.add_missing(column, numbers, fresh)
        new = [text for text in dict.fromkeys(ids) if text not in self.expected]
        assert [ids[row] for row in rows.tolist()] == new
        self.expected.update(zip(new, fresh.tolist(), strict=False))
        assert numbers.tolist() == [self.expected[text] for text in ids]

    @rule(ids=IDS, stray=st.booleans())
    def remove(self, ids: list[str], *, stray: bool) -> None:
        numbers = {self.expected.pop(text) for text in ids if text in self.expected}
        if stray:
            numbers.add(next(numbers_not_in(self.expected | dict.fromkeys(ids, -1))))
            numbers &= set(range(len(self.table.entries.lengths)))
        self.table.remove(np.array(sorted(numbers), dtype=np.int64))
        self.expected = {t: n for t, n in self.expected.items() if n not in numbers}

    @invariant()
    def says_what_the_dictionary_says(self) -> None:
        asked = [*self.expected, "no such id"]
        numbers = self.table.find(IdColumn.of(asked))
        assert numbers.tolist() == [*self.expected.values(), -1]
        assert len(self.table) == len(self.expected)
        known = np.array(list(self.expected.values()), dtype=np.int64)
        assert list(self.table.ids_of(known)) == list(self.expected)
        held = self.table.held(len(self.table.entries.lengths))
        assert set(np.flatnonzero(held).tolist()) == set(self.expected.values())


TestTableLikeADictionary = TableLikeADictionary.TestCase


def test_colliding_ids_are_told_apart() -> None:
    """Equal hashes do not make equal ids: the bytes are compared."""
    ids = IdColumn.of([f"u{n}" for n in range(50)])
    alike = IdColumn(ids.data, ids.starts, ids.lengths, np.full(50, 7, dtype=np.uint64))
    table = IdTable(1)
    table.add(alike, np.arange(50))
    assert table.find(alike).tolist() == list(range(50))
    table.remove(np.arange(0, 50, 2))
    assert table.find(alike).tolist() == [n if n % 2 else -1 for n in range(50)]


def test_memory_is_used_again() -> None:
    """Coming and going ids do not make the table grow."""
    table = IdTable(1)
    for turn in range(200):
        table.add(IdColumn.of([f"user-{turn}-{n}" for n in range(50)]), np.arange(50))
        table.remove(np.arange(50))
    assert len(table) == 0
    assert len(table.entries.slots) <= 256
    assert int(table.entries.text.top[0]) <= 50 * 4
