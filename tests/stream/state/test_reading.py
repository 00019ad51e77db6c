"""Reads of a state's records, with damage named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stream.errors import StateCorruptError, StateError
from stream.state.reading import (
    index_key,
    read_feed_tail,
    read_items,
    read_meta,
    read_users,
    sequence_key,
    stored_items,
)
from stream.state.rocks import Database, open_database
from tests.stream.state.shop import apply, open_store, shopping


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Open the database of a small state."""
    store = open_store(tmp_path)
    apply(store, shopping(3, 10))
    store.flush()
    store.close()
    database = open_database(tmp_path / "db", 2**20, 2**20)
    yield database
    database.close()


def test_keys_sort_as_numbers_do() -> None:
    """So a scan from an index on finds those that follow."""
    numbers = [0, 1, 255, 256, 70_000]
    assert sorted(map(index_key, numbers)) == [index_key(n) for n in numbers]
    assert sorted(map(sequence_key, numbers)) == [sequence_key(n) for n in numbers]


def test_items_come_with_rows_that_name_each_other(database: Database) -> None:
    """Neighbours are rows of what is returned, not indexes."""
    meta = read_meta(database, "here")
    assert meta is not None
    partition = read_items(database, meta)
    graph = partition.graph
    assert len(partition.ids) == graph.items == 30
    assert partition.indexes.tolist() == list(range(30))
    slots = slice(graph.row_starts[0], graph.row_starts[0] + graph.row_lengths[0])
    # Item 0 is the first of user 0, who clicks every third item of the story.
    names = np.array([partition.ids[row] for row in graph.neighbours[slots]])
    followed = graph.weights[slots, : graph.scales].any(axis=1)
    assert names[followed].tolist() == ["item-21", "item-42", "item-13"]
    assert names[~followed].tolist() == ["item-34"]
    assert stored_items(database, meta, 28).indexes.tolist() == [28, 29]


def test_a_row_that_names_nobody_is_damage(database: Database) -> None:
    """A neighbour without an item, or a length that no row has."""
    meta = read_meta(database, "here")
    assert meta is not None
    graph = database.family("graph")
    value = graph.get(index_key(0))
    graph.put(index_key(0), value[:-4])
    with pytest.raises(StateCorruptError, match="impossible length"):
        read_items(database, meta)
    graph.put(index_key(0), value)
    graph.put(index_key(99), value)
    with pytest.raises(StateCorruptError, match="not there"):
        read_items(database, meta)


def test_only_users_who_are_there_are_returned(database: Database) -> None:
    """Each with a buffer and, where one is noted, a seen filter of its size."""
    found = read_users(database, ["user-2", "nobody", "user-0"])
    assert list(found) == ["user-0", "user-2"]
    assert all(len(seen) == 4 * 6 for _, seen in found.values())


def test_a_filter_of_another_size_is_damage(database: Database) -> None:
    """A user whose filter was lost is not read as one who has seen nothing."""
    database.family("filters").delete(b"user-0")
    with pytest.raises(StateCorruptError, match="user 'user-0' is damaged"):
        read_users(database, ["user-0"])


def test_a_feed_that_ends_early_is_damage(database: Database) -> None:
    """A store would give numbers to clicks that were given before."""
    meta = read_meta(database, "here")
    assert meta is not None
    assert read_feed_tail(database, meta, "here").stop == 30
    with pytest.raises(StateError, match="here: the accepted feed ends early"):
        read_feed_tail(database, replace(meta, feed_stop=31), "here")
    database.family("feed").delete(sequence_key(0))
    with pytest.raises(StateCorruptError, match="cut short"):
        read_feed_tail(database, meta, "here")


def test_an_empty_database_says_nothing(tmp_path: Path) -> None:
    """It is a state to begin, not one that is damaged."""
    database = open_database(tmp_path / "new", 2**20, 2**20)
    assert read_meta(database, "here") is None
    assert np.array_equal(list(database.family("users").keys()), [])
    database.close()
