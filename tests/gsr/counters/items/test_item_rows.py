"""Items by row: rows are used again, indexes never."""

import numpy as np
import pytest

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.items.item_columns import NEXT_INDEX, NO_INDEX
from gsr.counters.items.item_rows import ItemRows
from gsr.errors import CountersFullError


@pytest.fixture
def items() -> ItemRows:
    """Return three items, clicked in the order c, a, b."""
    items = ItemRows(2)
    items.add(["a", "b", "c"])
    items.columns.last_clicks[:3] = [20.0, 30.0, 10.0]
    return items


def test_new_items_get_the_next_indexes(items: ItemRows) -> None:
    """Known ones keep row and index."""
    assert items.add(["d", "b"]).tolist() == [3, 1]
    assert items.columns.indexes[:4].tolist() == [0, 1, 2, 3]
    assert (len(items), items.next_index) == (4, 4)


def test_a_row_is_used_again_but_its_index_is_not(items: ItemRows) -> None:
    """Durable records name indexes: one that came back would mean another item."""
    items.remove(np.array([1]))
    assert (items.find("b"), items.id_of(1), items.removed_indexes) == (-1, None, [1])
    assert items.add(["d", "b"]).tolist() == [1, 3]
    assert items.columns.indexes[:4].tolist() == [0, 3, 2, 4]
    assert items.columns.rows[:5].tolist() == [0, -1, 2, 1, 3]
    assert items.taken().tolist() == [0, 2, 1, 3], "in the order of indexes"


def test_the_unknown_ones_are_told_once(items: ItemRows) -> None:
    """Each place names its entry among them."""
    rows, unknown = items.find_all(IdColumn.of(["x", "b", "y", "x"]))
    assert rows.tolist() == [-1, 1, -2, -1]
    assert unknown == ["x", "y"]


def test_who_leaves_first(items: ItemRows) -> None:
    """Those clicked longest ago; of equals the one known longer."""
    assert items.oldest(2).tolist() == [2, 0]
    items.columns.last_clicks[:3] = 5.0
    assert items.oldest(2).tolist() == [0, 1]
    items.columns.last_clicks[:3] = [20.0, 30.0, 10.0]
    assert items.clicked_before(20.0).tolist() == [2]


def test_indexes_may_be_given(items: ItemRows) -> None:
    """A state that is loaded brings its own, and says where counting goes on."""
    items.add(["z"], np.array([7]))
    items.number_from(12)
    items.number_from(9)
    assert items.next_index == 12
    items.add(["y"])
    assert items.columns.indexes[:5].tolist() == [0, 1, 2, 7, 12]


def test_more_than_32_bits_can_name_is_refused(items: ItemRows) -> None:
    """Indexes and slots of neighbours alike, before anything is changed."""
    with pytest.raises(CountersFullError, match="lower max_items"):
        items.reserve_edges(2**32 + 1)
    items.columns.counts[NEXT_INDEX] = NO_INDEX - 1
    with pytest.raises(CountersFullError, match="more than 32 bits"):
        items.reserve(1)
