"""Users and rows of the graph as bytes, and back."""

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.user_slots import UserSlots
from stream.state.packing import (
    as_bytes,
    clicks_in,
    fill_slots,
    newest_time,
    pack_rows,
    pack_users,
    row_words,
    seen_in,
    unpack_rows,
    whole_user,
)
from tests.gsr.counters.counted import counters_of, walk
from tests.stream.state.click_stories import START

CONFIG = CounterConfig(buffer_length=3, seen_items=4, half_lives=(60.0, 3600.0))


@pytest.fixture
def counters() -> Counters:
    """Return counters of a user with a seen filter, and of one whose single click is of no row."""
    return counters_of(walk(*range(8), step=1.0) + walk(8, user=1), CONFIG)


def values_of(counters: Counters) -> list[bytes]:
    """Return the value of each user, in the order of their slots."""
    slots = counters.users.dirty()
    packed, ends = pack_users(counters.users.columns, slots)
    return [value.tobytes() for value in np.split(packed, ends[:-1])]


def test_a_users_value_tells_its_size_and_newest_time(counters: Counters) -> None:
    """Readers need these without unpacking it."""
    many, one = values_of(counters)
    assert (clicks_in(many), seen_in(many), newest_time(many)) == (3, 4, START + 7)
    assert (clicks_in(one), seen_in(one), newest_time(one)) == (1, 0, START)
    assert whole_user(many)
    assert not whole_user(many[:-1])
    assert not whole_user(many + b"x")
    assert not whole_user(bytes(24)), "without clicks there is no user"


def test_users_come_back_as_they_were(counters: Counters) -> None:
    """Buffer, seen filter and offsets, into whatever slots."""
    values = values_of(counters)
    before = counters.user_buffers(IdColumn.of(["user-0", "user-1"]))
    slots = UserSlots(CONFIG.buffer_length, 4)
    found = slots.slots(IdColumn.of(["stranger", "user-1", "user-0"]))[:0:-1]
    seen = [b"" if buffer is None else buffer.seen.tobytes() for buffer in before]
    fill_slots(slots, found, list(zip(values, seen, strict=True)))
    for slot, expected in zip(found.tolist(), before, strict=True):
        read = slots.read(slot, counters.items.columns, -np.inf)
        assert read is not None
        assert expected is not None
        for name in ("items", "fingerprints", "times", "events", "hashes", "seen"):
            assert np.array_equal(getattr(read, name), getattr(expected, name)), name
        assert (read.source_offset, read.accepted_at) == (
            expected.source_offset,
            expected.accepted_at,
        )
    assert slots.dirty().tolist() == [], "what was just read need not be written"


def test_rows_come_back_as_they_were(counters: Counters) -> None:
    """Neighbours are named by index, so that rows may be others next time."""
    graph = counters.graph()
    rows = np.flatnonzero(graph.row_lengths)
    packed, ends = pack_rows(counters.items.columns, counters.items.edges, rows)
    words = np.diff(ends, prepend=0) // 4
    assert words.tolist() == [row_words(4, int(n)) for n in graph.row_lengths[rows]]
    slots = int(graph.row_lengths.sum())
    references = np.zeros((len(rows), 4), dtype=np.int64)
    starts, lengths = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int32)
    neighbours = np.zeros(slots, dtype=np.uint32)
    weights = np.zeros((slots, 4), dtype=np.float32)
    unpack_rows(
        packed.view(np.uint32),
        words,
        np.arange(len(rows)),
        references.view(np.uint32),
        starts,
        lengths,
        neighbours,
        weights.view(np.uint32),
    )
    assert np.array_equal(references, graph.row_references[rows])
    for i, row in enumerate(rows.tolist()):
        mine = slice(starts[i], starts[i] + lengths[i])
        theirs = slice(graph.row_starts[row], graph.row_starts[row] + graph.row_lengths[row])
        indexes = counters.items.columns.indexes[graph.neighbours[theirs]]
        assert np.array_equal(neighbours[mine], indexes)
        assert np.array_equal(weights[mine], graph.weights[theirs])


def test_a_row_without_neighbours_has_no_bytes(counters: Counters) -> None:
    """So that it is deleted rather than stored."""
    last = counters.item_rows(["item-8"])
    packed, ends = pack_rows(counters.items.columns, counters.items.edges, last)
    assert (len(packed), ends.tolist()) == (0, [0])


def test_columns_of_records_are_seen_as_bytes() -> None:
    """A view: what is written into it stands in the record."""
    records = np.zeros(2, dtype=[("pair", np.int32, (2,)), ("rest", np.uint8)])
    cells = as_bytes(records["pair"])
    assert cells.shape == (2, 8)
    cells[1, 4] = 7
    assert records["pair"].tolist() == [[0, 0], [0, 7]]
