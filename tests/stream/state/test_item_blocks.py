"""Items as bytes, sixteen to a block."""

import numpy as np
import pytest

from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.items.item_rows import ItemRows
from stream.errors import StateCorruptError
from stream.state.item_blocks import (
    BLOCK_ITEMS,
    dirty_blocks,
    item_dtype,
    pack_item_blocks,
    unpack_item_blocks,
)


@pytest.fixture
def items() -> ItemRows:
    """Return 40 items of which some have left, with counters that tell them apart."""
    items = ItemRows(2)
    items.add([f"item-{n}" * (1 + n % 3) for n in range(40)])
    columns = items.columns
    columns.created_at[:40] = np.arange(40)
    columns.last_clicks[:40] = np.arange(40) + 100
    columns.popularity[:40] = np.arange(80).reshape(40, 2)
    columns.popularity_references[:40] = np.arange(80).reshape(40, 2) - 40
    items.remove(np.array([0, 20, *range(32, 40)]))
    return items


def values_of(items: ItemRows, blocks: list[int]) -> list[bytes]:
    """Return the value of each block."""
    packed, ends = pack_item_blocks(items.columns, items.table.entries, np.array(blocks))
    return [value.tobytes() for value in np.split(packed, ends[:-1])]


def test_items_come_back_as_they_were(items: ItemRows) -> None:
    """In the order of their indexes, whatever rows they stand in."""
    items.add(["late"])  # it takes a row that was left, and the next index
    values = values_of(items, [0, 1, 2])
    stored = unpack_item_blocks(np.array([0, 1, 2]), ByteColumn.of(values), 2)
    indexes = [n for n in range(32) if n not in {0, 20}]
    assert stored.indexes.tolist() == [*indexes, 40]
    rows = items.columns.rows[stored.indexes]
    assert [text.decode() for text in stored.ids if text is not None] == [
        items.id_of(row) for row in rows.tolist()
    ]
    assert np.array_equal(stored.counters["created_at"], items.columns.created_at[rows])
    assert np.array_equal(stored.counters["last_click"], items.columns.last_clicks[rows])
    assert np.array_equal(stored.counters["popularity"], items.columns.popularity[rows])
    assert np.array_equal(stored.counters["references"], items.columns.popularity_references[rows])


def test_a_block_without_items_has_no_bytes(items: ItemRows) -> None:
    """So that it is deleted rather than stored; also one past every index."""
    assert values_of(items, [2, 1, 9_999_999])[::2] == [b"", b""]


def test_what_changed_or_left_dirties_its_block(items: ItemRows) -> None:
    """Each block once, ascending."""
    items.mark_clean()
    items.columns.dirty[items.columns.rows[[17, 18, 5]]] = 1
    assert dirty_blocks(items.columns, items.used, [33]).tolist() == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_block_that_is_cut_short_is_noticed(items: ItemRows, cut: int) -> None:
    """Wherever it ends within an item."""
    (value,) = values_of(items, [1])
    with pytest.raises(StateCorruptError, match="cut short"):
        unpack_item_blocks(np.array([1]), ByteColumn.of([value[:-cut]]), 2)


def test_counters_take_what_the_layout_says() -> None:
    """Two times, and per scale a reference and a sum."""
    assert item_dtype(4).itemsize == 16 + 4 * (8 + 4)
    assert BLOCK_ITEMS == 16, "stored states depend on it"
