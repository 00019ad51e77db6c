"""RocksDB: its options, and its errors in plain words."""

from pathlib import Path

import pytest

from stream.errors import (
    StateCorruptError,
    StateError,
    StorageFullError,
)
from stream.state.rocks import COLUMN_FAMILIES, plain_errors
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import (
    START,
)
from tests.stream.state.shop import apply, open_store, shopping


def test_options_survive_a_reopen(tmp_path: Path) -> None:
    """Bloom filters and the one shared block cache are there for every family, each time."""
    for _ in range(2):
        store = open_store(tmp_path)
        apply(store, shopping(50, 5, START + store.next_offset))
        store.flush()
        database = store._database  # noqa: SLF001 -- options show nowhere else
        capacities = set()
        for family in COLUMN_FAMILIES:
            handle = database.family(family)
            capacities.add(handle.property_int_value("rocksdb.block-cache-capacity"))
            del handle
        del database
        assert capacities == {StoreOptions().block_cache_bytes}
        store.close()
    newest = max((tmp_path / "db").glob("OPTIONS-*"))
    written = newest.read_text()
    families = len(COLUMN_FAMILIES) + 1
    assert written.count("filter_policy=bloomfilter") == families
    assert written.count("cache_index_and_filter_blocks=true") == families
    assert written.count("compression=kZSTD") >= families


@pytest.mark.parametrize("blocked", ["state", "state/db"])
def test_an_unwritable_directory(tmp_path: Path, blocked: str) -> None:
    """Where a directory cannot be made, the operator is told; a file in the way stops root too."""
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("in the way")
    with pytest.raises(StateError, match=str(tmp_path / "state")):
        open_store(tmp_path / "state")


def test_a_read_only_file_system(tmp_path: Path) -> None:
    """A place that nobody may write, not even root, is named with the way out."""
    place = Path("/proc/gsr-state")
    with pytest.raises(StorageFullError, match="cannot be read or written"):
        open_store(place)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError(13, "Permission denied"), StorageFullError, "correct the owner"),
        (OSError(30, "Read-only file system"), StorageFullError, "correct the owner"),
        (OSError(28, "No space left on device"), StorageFullError, "free space"),
        (
            FileNotFoundError(2, "No such file or directory"),
            StateCorruptError,
            "state check --live",
        ),
        (Exception("Corruption: bad block"), StateCorruptError, "state check --live"),
        (Exception("IO error: Permission denied"), StorageFullError, "correct the owner"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_place_is_said(
    tmp_path: Path, error: Exception, kind: type[Exception], words: str
) -> None:
    """What may not be touched is not called damaged, whoever noticed it."""
    with pytest.raises(kind, match=words) as told, plain_errors(tmp_path):
        raise error
    assert str(tmp_path) in str(told.value)
