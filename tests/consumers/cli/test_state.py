"""Damage of the state is found, and mended from checkpoints."""

import json
import math
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.log.interface import RecordBatch
from stream.state.dump import dump
from stream.state.store import PartitionStore
from tests.consumers.command_line import gsr


def checkpointed(directory: Path, offset: int) -> PartitionStore:
    """Return the open state of partition 1, whose state of now is published as a checkpoint."""
    config = GsrConfig()
    rules = config.events.rules()
    store = PartitionStore.open(directory, 1, config.state.shape(), rules, SystemClock())
    decoded = ClickCodec(rules).decode(
        RecordBatch(
            topic="clicks",
            partition=1,
            offsets=np.array([offset - 1]),
            append_times=np.array([time.time()]),
            keys=[b"ann"],
            values=[encode_click("ann", "tea", 100.0)],
        ),
        -math.inf,
    )
    store.apply(decoded.clicks, decoded.watermark, offset)
    open_artifacts(config, SystemClock()).publish_checkpoint(1, offset, store.checkpoint)
    return store


@pytest.mark.usefixtures("terminal")
def test_a_state_is_restored_from_its_newest_checkpoint() -> None:
    """Into an empty directory at once, over a state only after a yes, never under an ingest."""
    own = GsrConfig().ingest_directory / "partition-1"
    store = checkpointed(own, 8)
    assert gsr("state", "restore", "--yes").exit_code == 5
    store.close()
    before = list(dump(own))
    dry = gsr("state", "restore", "--dry-run")
    assert "checkpoint of offset 8" in dry.stderr
    assert "which holds a state" in dry.stderr
    shutil.rmtree(own / "db")
    assert gsr("state", "restore").exit_code == 0
    assert list(dump(own)) == before
    assert gsr("state", "restore", answer="n\n").exit_code == 1
    (own / "db" / "CURRENT").write_text("torn")
    done = gsr("state", "restore", answer="y\n")
    assert done.exit_code == 0
    assert "reads on from offset 8" in done.stderr
    assert list(dump(own)) == before
    assert gsr("state", "check", "--live").exit_code == 0
    assert gsr("state", "restore", "--partition", "4").exit_code == 9
    assert gsr("state", "restore", "--into", "elsewhere").exit_code == 0
    assert list(dump(Path("elsewhere/ingest/partition-1"))) == before


def test_a_state_of_another_shape_is_not_restored() -> None:
    """The state that is there stays; the command says which settings the checkpoint has."""
    own = GsrConfig().ingest_directory / "partition-1"
    checkpointed(own, 8).close()
    before = list(dump(own))
    other = ["--set", "state.half_lives_seconds=[60, 600]"]
    refused = gsr("state", "restore", "--yes", *other)
    assert refused.exit_code == 5
    assert "state.half_lives_seconds = [600.0" in refused.stderr
    assert list(dump(own)) == before
    assert gsr("state", "check", *other).exit_code == 0
    facts = json.loads(gsr("item", "tea", "--json", *other).stdout)
    assert facts["half_lives_seconds"] == list(GsrConfig().state.half_lives_seconds)
    assert facts["popularity"] == pytest.approx([1.0] * 4)


@pytest.mark.usefixtures("terminal")
def test_who_follows_the_advice_on_damage_has_a_sound_state() -> None:
    """Found by --live, mended by the command that it names."""
    own = GsrConfig().ingest_directory / "partition-1"
    checkpointed(own, 8).close()
    before = list(dump(own))
    (own / "db" / "CURRENT").write_text("torn")
    found = gsr("state", "check", "--live")
    assert found.exit_code == 5
    assert "the checkpoint of offset 8" in found.stderr
    assert r"\n" not in found.stderr
    advised = found.stderr.split("`gsr ")[1].partition("`")[0].split()
    assert advised == ["state", "restore", "--partition", "1"]
    assert gsr(*advised, answer="y\n").exit_code == 0
    assert gsr("state", "check", "--live").exit_code == 0
    assert list(dump(own)) == before
