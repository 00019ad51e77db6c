"""What an earlier version left behind is read as it was, gone on from, or refused by name."""

import hashlib
import shutil
from pathlib import Path

import pytest

from consumers.artifacts.restoring import plan_restore, restore_partition
from gsr.errors import SnapshotError
from gsr.ranker.snapshot import FORMAT
from stream.errors import StateMismatchError
from stream.events.clicks.encoding import encode_click
from stream.events.records.recommendation import decode_recommendation
from stream.log.interface import Outgoing
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.dump import dump
from stream.state.store import PartitionStore
from tests.stored.home import STOPPED, Home

CLICKS = 1200
LEARNED = 1166  # the others were repeated or too old
VERSION = 6
FINGERPRINTS = {
    "ingest/partition-0": "88036f314cea4b8b94697972b12ebc65d39b4daf714dab2f0c50d50993f7d566",
    "artifacts/checkpoints/partition-0/001000": (
        "80831a96941e25349f4496dfa4225c0572df23c37f1b7ee9fe0c85c0fd425c86"
    ),
}


def fingerprint_of(path: Path) -> str:
    """Return the digest of all that a state directory or a checkpoint says."""
    digest = hashlib.sha256()
    for family, key, value in dump(path):
        for part in (family.encode(), key, value):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.unpacked(tmp_path)


@pytest.mark.parametrize("place", FINGERPRINTS)
def test_a_state_reads_as_it_was_written(home: Home, place: str) -> None:
    """State directory and checkpoint: every byte, and no contradiction."""
    assert fingerprint_of(home.directory / place) == FINGERPRINTS[place]
    assert check(home.directory / place) == []


def test_a_state_is_opened_for_work_without_a_change(home: Home) -> None:
    """Opened and closed again it holds the same bytes, and goes on at the offset it had."""
    store = PartitionStore.open(
        home.state, 0, home.config.state.shape(), home.config.events.rules(), home.clock
    )
    assert store.next_offset == CLICKS
    store.close()
    assert fingerprint_of(home.state) == FINGERPRINTS["ingest/partition-0"]


def test_a_state_without_close_clicks_is_not_gone_on_from_with_them(home: Home) -> None:
    """The setting that keeps it as it is is named."""
    config = home.config.with_values({"state": {"close_clicks": 5}})
    with pytest.raises(StateMismatchError, match=r"--set 'state\.close_clicks=0'"):
        PartitionStore.open(home.state, 0, config.state.shape(), config.events.rules(), home.clock)


def test_ingest_goes_on_from_state_and_log(home: Home) -> None:
    """Clicks that come now are applied on top of those of then."""
    home.send(home.shoppers(STOPPED - 1000.0, seed=14), 100)
    ingest = home.ingest()
    home.run(ingest, seconds=6.0)
    ingest.close()
    assert check(home.state) == []
    with Checkpoint.open(home.state) as state:
        assert state.meta.next_offset == CLICKS + 100
        assert state.meta.feed_stop > LEARNED


def test_a_checkpoint_is_restored(home: Home) -> None:
    """The artifact store of then gives a lost state back."""
    (step,) = plan_restore(home.artifacts, home.directory / "restored")
    assert restore_partition(home.artifacts, step) == CLICKS
    assert fingerprint_of(step.directory) == FINGERPRINTS["ingest/partition-0"]


def test_a_trainer_begins_anew_beside_an_old_journal(home: Home) -> None:
    """A model of another kind is not learned on; without its journal all clicks are learned again.

    Models count on from the old one, so that publishers take the new ones for newer.
    """
    with pytest.raises(SnapshotError, match="move the folder `trainer`"):
        home.trainer().step()
    shutil.rmtree(home.directory / "artifacts" / "trainer")
    home.send(home.shoppers(STOPPED - 1000.0, seed=14), 200)
    ingest, trainer = home.ingest(), home.trainer()
    home.run(ingest, trainer, seconds=30.0)
    trainer.close()
    ingest.close()
    journal = home.artifacts.load_journal()
    assert journal is not None
    with Checkpoint.open(home.state) as state:
        assert journal.metadata["positions"] == {"0": state.meta.feed_stop}
        assert journal.metadata["totals"]["clicks"] == state.meta.feed_stop
    manifest = home.artifacts.snapshot_manifest(VERSION + 1)
    assert (manifest["parent"], manifest["model_format"]) == (VERSION, FORMAT)


def test_a_publisher_waits_for_a_model_that_it_can_read(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """The old model is left out by name; a new model, never a lower one, makes lists."""
    ingest, publisher = home.ingest(), home.publisher()
    home.run(ingest, publisher, seconds=3.0)
    assert f"model {VERSION} cannot be served" in caplog.text
    shutil.rmtree(home.directory / "artifacts" / "trainer")
    trainer = home.trainer()
    with Checkpoint.open(home.state) as state:
        user, _ = next(state.users(limit=1))
    value = encode_click(user, "i-new", home.clock.time())
    home.log.writer(home.config.log.clicks).append([Outgoing(user.encode(), value)])
    home.send(home.shoppers(STOPPED - 1000.0, seed=14), 200)
    home.run(ingest, trainer, publisher, seconds=30.0)
    for role in (publisher, trainer, ingest):
        role.close()
    reader = home.log.reader(home.config.log.recommendations)
    lists: dict[bytes | None, bytes | None] = {}
    while batches := reader.poll(1000, 0.0):
        for batch in batches:
            lists |= dict(zip(batch.keys, batch.values, strict=True))
    newest = lists[user.encode()]
    assert newest is not None
    made = decode_recommendation(newest)
    assert made.model_version == VERSION + 1
    assert made.last_click_at is not None
    assert made.last_click_at >= STOPPED
    assert len(made.items) == home.config.publisher.list_length
