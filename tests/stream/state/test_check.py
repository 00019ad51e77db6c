"""What `gsr state check` finds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Rdict

from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.feed import CHUNK_ROWS, decode_chunk, encode_chunk
from stream.state.store import PartitionStore
from tests.stream.state.click_stories import RULES, START, Told, batch_of

Damage = Callable[[Rdict], None]


def family(database: Rdict, name: str) -> Any:
    return database.get_column_family(name)


def cut_user(database: Rdict) -> None:
    users = family(database, "users")
    users.put(b"user-0", users.get(b"user-0")[:-1])


def empty_user(database: Rdict) -> None:
    family(database, "users").put(b"user-9", bytes(24))


def drop_item(database: Rdict) -> None:
    family(database, "items").delete(bytes(4))


def cut_item(database: Rdict) -> None:
    family(database, "items").put(bytes(4), b"short")


def rename_item(database: Rdict) -> None:
    items = family(database, "items")
    items.put(bytes(4), items.get(bytes(4))[:-1] + b"?")


def cut_row(database: Rdict) -> None:
    graph = family(database, "graph")
    key = (1).to_bytes(4, "big")
    graph.put(key, graph.get(key)[:-4])


def add_filter(database: Rdict) -> None:
    family(database, "filters").put(b"nobody", b"1234")


def drop_chunk(database: Rdict) -> None:
    family(database, "feed").delete(bytes(8))


def cut_chunk(database: Rdict) -> None:
    feed = family(database, "feed")
    feed.put(bytes(8), feed.get(bytes(8))[:-1])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a small state."""
    config = CounterConfig(buffer_length=2)
    store = PartitionStore.open(tmp_path, 0, config, RULES, ManualClock())
    story = [Told(i % 2, i % 5, START + i, 0, i) for i in range(20)]
    store.apply(batch_of(story), START + 19, 20)
    store.flush()
    store.close()
    return tmp_path


def test_a_sound_state_has_no_problems(state: Path) -> None:
    """Nothing wrong, nothing said."""
    assert check(state) == []


@pytest.fixture
def with_history(tmp_path: Path) -> Path:
    """Make a state that began before the log and went on from it, over several chunks."""
    path = tmp_path / "with-history"
    store = PartitionStore.open(path, 0, CounterConfig(buffer_length=2), RULES, ManualClock())
    store.begin_with_history(CHUNK_ROWS + 7)
    story = [Told(i % 50, i % 20, START + i, 0, i) for i in range(2 * CHUNK_ROWS)]
    cut = CHUNK_ROWS + 7
    store.apply(batch_of(story[:cut], -cut), START + cut - 1, 0)
    store.flush()
    store.apply(batch_of(story[cut:]), START + len(story) - 1, len(story) - cut)
    store.flush()
    store.close()
    return path


def test_history_from_before_the_log_is_no_contradiction(with_history: Path) -> None:
    """Its offsets are negative; the state remembers how many clicks they are."""
    assert check(with_history) == []
    with Checkpoint.open(with_history) as opened:
        assert opened.history() == CHUNK_ROWS + 7


def test_a_state_that_began_with_the_log_has_no_history(state: Path) -> None:
    """Also where it was begun before states noted it: its first click tells."""
    with Checkpoint.open(state) as opened:
        assert opened.history() == 0
        counters = {name: n for name, n in opened.meta.counters.items() if name != "history"}
        opened.meta = replace(opened.meta, counters=counters)
        assert opened.history() == 0
        opened.meta = replace(opened.meta, feed_start=CHUNK_ROWS)
        assert opened.history() is None


@pytest.mark.parametrize("first", [0, CHUNK_ROWS])
def test_offsets_that_go_back_are_found(with_history: Path, first: int) -> None:
    """Within a chunk, and from one to the next."""
    database = Rdict(str(with_history / "db"))
    feed, key = family(database, "feed"), first.to_bytes(8, "big")
    chunk = decode_chunk(first, feed.get(key))
    offsets = chunk.offsets[::-1] if first == 0 else chunk.offsets - 2 * CHUNK_ROWS
    feed.put(key, encode_chunk(replace(chunk, offsets=offsets)))
    database.close()
    assert any(f"chunk {first}" in problem for problem in check(with_history))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut_user, "user-0"),
        (empty_user, "user-9"),
        (drop_item, "not there"),
        (cut_item, "cut short"),
        (rename_item, "others now"),
        (cut_row, "impossible length"),
        (add_filter, "do not exist"),
        (drop_chunk, "missing"),
        (cut_chunk, "wrong length"),
    ],
)
def test_damage_is_named(state: Path, damage: Damage, words: str) -> None:
    """Each kind of contradiction is found and said in plain words."""
    database = Rdict(str(state / "db"))
    damage(database)
    database.close()
    assert any(words in problem for problem in check(state))
