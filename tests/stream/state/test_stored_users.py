"""The users on disk: they come into memory, are listed, and go by age."""

from pathlib import Path

from rocksdict import Rdict

from gsr.counters.config import CounterConfig
from stream.state.check import check
from stream.state.rocks import open_database
from stream.state.store_options import StoreOptions
from stream.state.stored_users import StoredUsers
from tests.stream.state.click_stories import (
    START,
    Told,
)
from tests.stream.state.shop import apply, open_store, shopping


def test_users_in_memory_are_bounded_by_bytes_too(tmp_path: Path) -> None:
    """Those touched longest ago leave, and are still known."""
    options = StoreOptions(cached_user_bytes=100_000)
    store = open_store(tmp_path, options=options)
    apply(store, shopping(1000, 3))
    assert (store.overfull, store.due_for_flush()) == (True, True)
    store.flush()
    stats = store.stats()
    assert 0 < stats.users_cached < 1000
    assert stats.user_bytes <= 100_000
    assert (store.overfull, store.due_for_flush()) == (False, False)
    assert all(store.user(f"user-{number}") is not None for number in range(1000))
    store.close()


def test_the_sweep_deletes_who_expired(tmp_path: Path) -> None:
    """Expired users leave the disk in bounded steps, which nobody notices."""
    config = CounterConfig(user_ttl_seconds=100.0, buffer_length=2)
    store = open_store(tmp_path, config)
    apply(store, [Told(user, item, START, 0, item) for user in range(1500) for item in range(3)])
    store.flush()
    for _ in range(3):
        apply(store, [Told(9999, 1, store.watermark + 200.0)])
        store.flush()
    store.close()
    database = Rdict(str(tmp_path / "db"))
    try:
        assert list(database.get_column_family("users").keys()) == [b"user-9999"]
        assert list(database.get_column_family("filters").keys()) == []
    finally:
        database.close()
    assert check(tmp_path) == []


def test_stored_users_are_listed_in_portions(tmp_path: Path) -> None:
    """In byte order, from a key on; those who are not written yet are not among them."""
    store = open_store(tmp_path)
    apply(store, shopping(12, 1))
    store.flush()
    apply(store, [Told(99, 1, START)])
    assert store.stored_user_ids(b"", 3) == ["user-0", "user-1", "user-10"]
    assert store.stored_user_ids(b"user-10\0", 2) == ["user-11", "user-2"]
    assert store.stored_user_ids(b"user-98", 9) == []
    store.close()


def test_a_sweep_looks_at_everybody_in_turns(tmp_path: Path) -> None:
    """A thousand at a time, going on where it stopped, and from the first again after the last."""
    store = open_store(tmp_path)
    apply(store, shopping(1500, 1))
    store.flush()
    store.close()
    database = open_database(tmp_path / "db", 2**20, 2**20)
    users = StoredUsers(database, 10.0)
    sizes = [len(users.expired(START + 10_000.0)) for _ in range(3)]
    assert sizes == [1000, 500, 1000]
    assert StoredUsers(database, None).expired(START + 10_000.0) == []
    database.close()
