"""The store of users' newest records goes on after a restart, and never mixes two topics."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from consumers.roles.serve.user_store import Change, Kind, UserStore
from stream.errors import StateLockedError

IDS: Mapping[str, str | None] = {"recommendations": "a", "sequences": "b"}
ENDS: Mapping[Kind, Mapping[int, int]] = {"lists": {0: 500, 1: 0}, "sequences": {0: 500}}


def opened(
    directory: Path,
    topic_ids: Mapping[str, str | None] = IDS,
    ends: Mapping[Kind, Mapping[int, int]] = ENDS,
) -> UserStore:
    sizes = {"cache_bytes": 1_000_000, "write_buffer_bytes": 1_000_000}
    return UserStore.open(directory, topic_ids, ends, **sizes)


@pytest.fixture
def store(tmp_path: Path) -> UserStore:
    return opened(tmp_path)


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Records and the positions behind them, each kind by itself."""
    store = opened(tmp_path)
    store.write("lists", [Change(b"u", 1, b"old"), Change(b"u", 2, b"new")], {0: 3, 1: 0})
    store.write("sequences", [Change(b"u", 7, b"clicks")], {0: 9})
    store.close()
    again = opened(tmp_path)
    assert again.newest("lists", b"u") == b"new"
    assert again.newest("sequences", b"u") == b"clicks"
    assert again.newest("lists", b"other") is None
    assert (again.positions("lists"), again.positions("sequences")) == ({0: 3, 1: 0}, {0: 9})
    again.close()


def test_an_older_record_changes_nothing(store: UserStore) -> None:
    """After a crash ingest repeats itself; the positions move on all the same."""
    store.write("sequences", [Change(b"u", 7, b"newer")], {0: 1})
    assert store.write("sequences", [Change(b"u", 6, b"older")], {0: 2}) == 0
    assert store.newest("sequences", b"u") == b"newer"
    assert store.positions("sequences") == {0: 2}
    assert store.write("sequences", [Change(b"u", 7, b"again")], {0: 3}) == 1


def test_a_tombstone_forgets_and_what_comes_after_it_counts(store: UserStore) -> None:
    """Also where all of it comes in one batch, and with lower orders."""
    store.write("sequences", [Change(b"u", 7, b"x"), Change(b"v", 7, b"x")], {0: 2})
    store.write("sequences", [Change(b"u", 0, None)], {0: 3})
    assert store.newest("sequences", b"u") is None
    again = [Change(b"v", 8, b"y"), Change(b"v", 0, None), Change(b"v", 2, b"z")]
    store.write("sequences", again, {0: 6})
    assert store.newest("sequences", b"v") == b"z"


def test_one_process_at_a_time(tmp_path: Path, store: UserStore) -> None:
    """The second one is told who has it, and lets the first one be."""
    with pytest.raises(StateLockedError, match="in use by process"):
        opened(tmp_path)
    store.write("lists", [Change(b"u", 1, b"x")], {0: 1})


def damage(directory: Path) -> None:
    for path in (directory / "db").glob("MANIFEST-*"):
        path.write_bytes(b"no manifest")


def nothing(_directory: Path) -> None:
    """Leave the store as it is."""


@pytest.mark.parametrize(
    ("harm", "topic_ids", "ends", "said"),
    [
        (damage, IDS, ENDS, "damaged"),
        (nothing, {**IDS, "sequences": "another"}, ENDS, "other topics"),
        (nothing, IDS, {"lists": {0: 4}, "sequences": {}}, "other topics"),
    ],
)
def test_a_store_of_no_use_is_filled_anew(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Path], None],
    topic_ids: Mapping[str, str | None],
    ends: Mapping[Kind, Mapping[int, int]],
    said: str,
) -> None:
    """One that is damaged, or whose topics were deleted and made anew: everything is on these."""
    store = opened(tmp_path)
    store.write("lists", [Change(b"u", 1, b"x")], {0: 5})
    store.close()
    harm(tmp_path)
    with caplog.at_level(logging.WARNING):
        again = opened(tmp_path, topic_ids, ends)
    assert said in caplog.text
    assert again.newest("lists", b"u") is None
    assert again.positions("lists") == {}
    again.write("lists", [Change(b"u", 1, b"y")], {0: 1})
    again.close()
    assert opened(tmp_path, topic_ids, ends).newest("lists", b"u") == b"y"


def test_sizes_are_known(store: UserStore) -> None:
    """Bytes and users, for the gauges."""
    store.write("lists", [Change(b"%d" % n, n, bytes(100)) for n in range(500)], {0: 500})
    assert store.users("lists") == 500
    assert store.users("sequences") == 0
    assert store.nbytes() > 500 * 100
