"""A checkpoint: a state as of one flush, for readers."""

from pathlib import Path

import pytest

from gsr.counters.ids.fingerprint import fingerprint
from stream.errors import (
    StateCorruptError,
    StateError,
)
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from tests.stream.state.click_stories import (
    RULES,
    START,
    Told,
)
from tests.stream.state.shop import apply, open_store, shopping


def test_a_checkpoint_is_read_while_work_goes_on(tmp_path: Path) -> None:
    """A checkpoint is as of its flush, whatever happens to the state afterwards."""
    store = open_store(tmp_path / "state")
    apply(store, shopping(3, 10))
    store.checkpoint(tmp_path / "deep" / "000001")
    apply(store, shopping(3, 10, START + 500))
    with Checkpoint.open(tmp_path / "deep" / "000001") as checkpoint:
        store.flush()
        apply(store, [Told(0, 0, 0.0, forget=True)])
        store.flush()
        assert checkpoint.meta.next_offset == 30
        assert checkpoint.meta.watermark == START + 29
        assert checkpoint.meta.partition == 3
        assert checkpoint.meta.event_names == tuple(RULES.weights)
        known = checkpoint.buffers(["user-0", "nobody", "user-2"])
        assert list(known) == ["user-0", "user-2"]
        vocabulary = dict(checkpoint.vocabulary())
        last = known["user-0"].items[-1]
        assert vocabulary[int(last)] == f"item-{27 * 7 % 50}"
        assert known["user-0"].fingerprints[-1] == fingerprint(vocabulary[int(last)])
        assert len(checkpoint.feed(0, 1000)) == 30
        assert len(list(checkpoint.users(limit=2))) == 2
        assert checkpoint.items().ids[0] == "item-0"
    with pytest.raises(StateError, match="exists"):
        store.checkpoint(tmp_path / "deep" / "000001")
    store.close()
    assert check(tmp_path / "deep" / "000001") == []


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    """A file that is not what it was says so in plain words."""
    store = open_store(tmp_path)
    apply(store, shopping(30, 30))
    store.checkpoint(tmp_path / "copy")
    store.close()
    for file in (tmp_path / "copy").glob("*.sst"):
        file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(StateCorruptError, match="gsr state check --live"):
        open_checkpoint_wholly(tmp_path / "copy")
    for file in (tmp_path / "db").glob("MANIFEST-*"):
        file.unlink()
    with pytest.raises(StateCorruptError, match="gsr state check --live"):
        open_store(tmp_path)


def open_checkpoint_wholly(path: Path) -> None:
    with Checkpoint.open(path) as checkpoint:
        checkpoint.items()


def test_nothing_there_is_named(tmp_path: Path) -> None:
    """A directory without a state cannot be read as one."""
    with pytest.raises(StateCorruptError):
        Checkpoint.open(tmp_path / "nowhere")
