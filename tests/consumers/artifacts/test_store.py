"""What is published is whole, numbered, kept and pruned as promised, here and far away."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.remote_files import RemoteFiles
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, ConfigError, NotFoundError
from stream.clock import ManualClock, SystemClock
from stream.errors import StorageFullError
from tests.consumers.checkpoint_files import checkpoint

_NAMES = itertools.count()


@pytest.fixture(params=["local", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtifactStore]:
    """Yield a store in a directory, and one in a location that knows no rename."""
    if request.param == "local":
        yield ArtifactStore(LocalFiles(tmp_path / "store"), ManualClock(7.0), keep_snapshots=3)
        return
    filesystem = fsspec.filesystem("memory")
    root = f"/artifacts-{next(_NAMES)}"
    yield ArtifactStore(
        RemoteFiles(filesystem, root, tmp_path / "scratch"), ManualClock(7.0), keep_snapshots=3
    )
    if filesystem.exists(root):
        filesystem.rm(root, recursive=True)


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_an_empty_store_has_nothing(store: ArtifactStore) -> None:
    """Before the first artifact there are no numbers, and reading says who makes them."""
    assert store.newest_checkpoints() == {}
    assert store.current_snapshot() == store.current_view() == 0
    assert store.snapshots() == []
    assert store.load_journal() is None
    with pytest.raises(ArtifactError, match="no snapshots yet"):
        store.read_snapshot()


def test_a_snapshot_comes_back(store: ArtifactStore) -> None:
    """Tensors and manifest are read as they were published, with number and time added."""
    assert store.publish_snapshot(b"weights", {"loss": 1.5}) == 1
    snapshot = store.read_snapshot()
    assert (snapshot.number, snapshot.tensors) == (1, b"weights")
    assert snapshot.metadata["loss"] == 1.5
    assert snapshot.metadata["version"] == 1
    assert snapshot.metadata["created_at"] == 7.0


def test_versions_grow_and_the_oldest_leave(store: ArtifactStore) -> None:
    """Keep-k; a version number is never used twice."""
    for number in range(1, 6):
        assert store.publish_snapshot(b"%d" % number, {}) == number
    assert [manifest["version"] for manifest in store.snapshots()] == [3, 4, 5]
    assert store.current_snapshot() == 5
    with pytest.raises(ArtifactError, match="no version 1; there are: 3, 4, 5"):
        store.read_snapshot(1)


def test_a_rollback_mints_a_new_version(store: ArtifactStore) -> None:
    """Versions never decrease; the manifest names what it restores."""
    store.publish_snapshot(b"good", {"loss": 1.0})
    store.publish_snapshot(b"bad", {"loss": 9.0})
    assert store.rollback(1) == 3
    restored = store.read_snapshot()
    assert restored.tensors == b"good"
    assert restored.metadata["restored_from"] == 1
    assert restored.metadata["parent"] == 2
    assert restored.metadata["loss"] == 1.0
    with pytest.raises(NotFoundError, match="no version 9"):
        store.rollback(9)


def test_views_are_kept_apart_from_snapshots(store: ArtifactStore) -> None:
    """Views have their own numbers."""
    store.publish_snapshot(b"weights", {})
    for number in range(1, 6):
        assert store.publish_view(b"view %d" % number, {"watermark": number}) == number
    view = store.read_view()
    assert (view.number, view.tensors, view.metadata["watermark"]) == (5, b"view 5", 5)
    assert store.read_view(3).tensors == b"view 3"
    with pytest.raises(ArtifactError):
        store.read_view(2)


def test_the_journal_is_replaced_as_a_whole(store: ArtifactStore) -> None:
    """Tensors and metadata always belong together."""
    store.save_journal(b"one", {"step": 1})
    store.save_journal(b"two", {"step": 2})
    store.save_journal(b"two", {"step": 3})
    journal = store.load_journal()
    assert journal is not None
    assert (journal.tensors, journal.metadata["step"]) == (b"two", 3)


def test_the_newest_checkpoints_stay(store: ArtifactStore) -> None:
    """Each partition has its own; the newest few are kept."""
    for number in range(1, 6):
        assert (
            store.publish_checkpoint(0, number, checkpoint(a_sst="a", CURRENT=f"{number}"))
            == number
        )
    assert store.publish_checkpoint(3, 1, checkpoint(a_sst="other", CURRENT="x")) == 1
    assert store.newest_checkpoints() == {0: 5, 3: 1}
    assert contents(store.checkpoint_path(0, 5)) == {"a.sst": "a", "CURRENT": "5"}
    assert contents(store.checkpoint_path(0, 3)) == {"a.sst": "a", "CURRENT": "3"}
    with pytest.raises(ArtifactError):
        store.checkpoint_path(0, 2)


def test_checkpoints_never_go_back(store: ArtifactStore) -> None:
    """An owner who has not noticed yet that it no longer is one changes nothing."""

    def never(_directory: Path) -> None:
        raise AssertionError

    store.publish_checkpoint(0, 500, checkpoint(a_sst="a"))
    assert store.publish_checkpoint(0, 400, never) == 500
    assert store.publish_checkpoint(0, 500, never) == 500
    assert store.newest_checkpoints() == {0: 500}
    assert store.newest_checkpoint(0) == 500
    assert store.newest_checkpoint(1) is None


def test_two_owners_publish_at_once(store: ArtifactStore) -> None:
    """Each writes aside under a name of its own; the same offset is the same state."""

    def first(directory: Path) -> None:
        store.publish_checkpoint(0, 7, checkpoint(a_sst="a"))
        checkpoint(a_sst="a")(directory)

    store.publish_checkpoint(0, 7, first)
    assert store.newest_checkpoints() == {0: 7}
    assert contents(store.checkpoint_path(0, 7)) == {"a.sst": "a"}


def test_pinned_checkpoints_stay_until_unpinned(store: ArtifactStore) -> None:
    """What the trainer's journal refers to is not pruned."""
    store.publish_checkpoint(0, 1, checkpoint(old_sst="old"))
    store.pin_checkpoints("trainer", {0: 1})
    for offset in range(2, 7):
        store.publish_checkpoint(0, offset, checkpoint(new_sst="new"))
    assert contents(store.checkpoint_path(0, 1)) == {"old.sst": "old"}
    assert store.pinned_checkpoints("trainer") == {0: 1}
    store.pin_checkpoints("trainer", {0: 6})
    store.publish_checkpoint(0, 7, checkpoint(new_sst="new"))
    assert store.newest_checkpoints() == {0: 7}
    with pytest.raises(ArtifactError):
        store.checkpoint_path(0, 2)


def test_a_checkpoint_that_fails_leaves_nothing(store: ArtifactStore) -> None:
    """Half a checkpoint is not published, and the next attempt succeeds."""

    def broken(directory: Path) -> None:
        directory.mkdir()
        (directory / "half").write_text("x")
        raise StorageFullError("no room")

    with pytest.raises(StorageFullError):
        store.publish_checkpoint(0, 1, broken)
    assert store.newest_checkpoints() == {}
    assert store.publish_checkpoint(0, 1, checkpoint(a_sst="a")) == 1


def test_the_configuration_names_the_place(tmp_path: Path) -> None:
    """By default the artifacts lie inside the state directory."""
    config = GsrConfig().with_values({"state": {"directory": tmp_path / "state"}})
    open_artifacts(config, SystemClock()).publish_view(b"view", {})
    assert (tmp_path / "state" / "artifacts" / "views" / "CURRENT").read_text() == "1\n"
    manifest = tmp_path / "state" / "artifacts" / "views" / "000001" / "view.json"
    assert json.loads(manifest.read_text())["number"] == 1
    with pytest.raises(ConfigError, match=r"artifacts\.url"):
        open_artifacts(config.with_values({"artifacts": {"url": "nope://x"}}), SystemClock())


def test_a_place_of_another_kind_gets_its_options(tmp_path: Path) -> None:
    """From a file of their own; file:// is a directory too."""
    options = tmp_path / "options.toml"
    options.write_text("auto_mkdir = false\n")
    values = {"url": f"file://{tmp_path}/store", "options_file": str(options)}
    open_artifacts(GsrConfig().with_values({"artifacts": values}), SystemClock()).publish_view(
        b"view", {}
    )
    assert (tmp_path / "store" / "views" / "CURRENT").exists()
    values["url"] = f"memory://artifacts-{next(_NAMES)}"
    values["options_file"] = str(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match=r"artifacts\.options_file: cannot read"):
        open_artifacts(GsrConfig().with_values({"artifacts": values}), SystemClock())
