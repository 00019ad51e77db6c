"""When clicks were learned, by the manifests of models."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.learned_clicks import LearnedClicks
from consumers.artifacts.local_files import LocalFiles
from consumers.artifacts.store import ArtifactStore
from stream.clock import ManualClock
from stream.log.interface import RecordBatch


def _clicks(partition: int, first: int, times: list[float]) -> RecordBatch:
    return RecordBatch(
        topic="clicks",
        partition=partition,
        offsets=np.arange(first, first + len(times)),
        append_times=np.array(times),
        keys=(b"k",) * len(times),
        values=(b"v",) * len(times),
    )


def test_each_click_waits_for_the_first_model_behind_it(tmp_path: Path) -> None:
    """Also for one that was pruned since, and in a partition that no model knew before."""
    clock = ManualClock(start=100.0)
    store = ArtifactStore(LocalFiles(tmp_path), clock, keep_snapshots=1)
    learned = LearnedClicks(store)
    learned.look()
    assert learned.waits() == ([], 0)
    learned.note_clicks(_clicks(0, 0, [100.0, 101.0, 102.0]))
    learned.note_clicks(_clicks(1, 0, [103.0]))
    assert learned.waits() == ([], 4)
    clock.sleep(10.0)
    store.publish_snapshot(b"one", {"positions": {"0": 2}})
    learned.look()
    learned.note_clicks(_clicks(0, 3, [111.0]))
    clock.sleep(10.0)
    store.publish_snapshot(b"two", {"positions": {"0": 3, "1": 1}})
    learned.look()
    waits, unlearned = learned.waits()
    assert waits == [10.0, 9.0, 18.0, 17.0]
    assert unlearned == 1


def test_missing_clicks_are_an_error(tmp_path: Path) -> None:
    """Waits are found by offset."""
    learned = LearnedClicks(ArtifactStore(LocalFiles(tmp_path), ManualClock()))
    with pytest.raises(ValueError, match="missing"):
        learned.note_clicks(_clicks(0, 5, [1.0]))
