"""What another version wrote in a format of its own is refused by name, with the way out."""

import sqlite3
from pathlib import Path

import pytest
from rocksdict import Rdict

from consumers.artifacts.snapshot_files import decode_snapshot
from consumers.errors import ArtifactError
from consumers.learning.journal import Journal
from consumers.serving.view import decode_view
from gsr.errors import SnapshotError
from stream.errors import LogCorruptError, StateMismatchError
from stream.log.embedded.log import EmbeddedLog
from stream.state.checkpoint import Checkpoint
from tests.stored.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.unpacked(tmp_path)


def test_a_state_of_format_1(home: Home) -> None:
    """Readers and ingest alike name both formats, and what a fresh state costs."""
    database = Rdict(str(home.state / "db"))
    database.get_column_family("meta").put(b"format", b"1")
    database.close()
    words = "has format 1, this version of gsr reads format 2: run the version of gsr that wrote it"
    with pytest.raises(StateMismatchError, match=words) as refusal:
        Checkpoint.open(home.state)
    assert "build the state anew in a fresh --state" in str(refusal.value)


def test_a_state_from_before_topics_had_ids(home: Home) -> None:
    """It is no other format: ingest opens it, and notes from which topic its clicks are."""
    database = Rdict(str(home.state / "db"))
    database.get_column_family("meta").delete(b"topics")
    database.close()
    with Checkpoint.open(home.state) as state:
        assert state.meta.topic_ids == {}
    ingest = home.ingest()
    home.run(ingest, seconds=3.0)
    ingest.close()
    with Checkpoint.open(home.state) as state:
        assert set(state.meta.topic_ids) >= {"clicks"}


def test_a_journal_of_format_1(home: Home) -> None:
    """The trainer does not learn on from a model of another kind."""
    artifact = home.artifacts.load_journal()
    assert artifact is not None
    words = "journal has format 1, this build reads 3: run the version of gsr that wrote it, or"
    with pytest.raises(SnapshotError, match=words) as refusal:
        Journal(artifact)
    assert "move the folder `trainer` of the artifact store away" in str(refusal.value)


@pytest.mark.parametrize("found", [1, 2, 3, 4, 5, 6])
def test_a_model_of_another_kind(home: Home, found: int) -> None:
    """Up to format 3 there was no ranking network; 4 and 5 had no weights for newcomers."""
    artifact = home.artifacts.read_snapshot()
    assert artifact.metadata["model_format"] == 3
    artifact.metadata["model_format"] = found
    words = (
        f"model format {found}, this build reads 7: use the build that wrote it, or start a new "
        "model"
    )
    with pytest.raises(SnapshotError, match=words):
        decode_snapshot(artifact.tensors, artifact.metadata)


def test_a_view_of_format_0(home: Home) -> None:
    """Trainer and publisher must be of one version; the message says so."""
    artifact = home.artifacts.read_view()
    artifact.metadata["format"] = 0
    words = "serving view has format 0, this version reads 2: run the trainer and the publisher at"
    with pytest.raises(ArtifactError, match=words):
        decode_view(artifact.tensors, artifact.metadata)


def test_a_log_of_format_0(home: Home) -> None:
    """The embedded log names the file, and leaves it as it is."""
    home.log.close()
    path = home.directory / "log" / "clicks.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    words = "clicks.db has the format 0, this program reads 1: use the program that wrote it"
    with pytest.raises(LogCorruptError, match=words):
        EmbeddedLog(path.parent, home.clock).reader(home.config.log.clicks)
