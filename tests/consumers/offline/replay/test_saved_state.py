"""Saved loops go on as if they had never stopped."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import consumers.offline.replay.retraining.torch_state  # noqa: F401 - saves tensors
from consumers.errors import ArtifactError
from consumers.offline.replay.saved_state import restore, save
from gsr.loop.learning_loop import LearningLoop
from tests.gsr.loop.world import OPTIONS, encoded_stream_of, loop_of, ring


def go_on(loop: LearningLoop, start: int, stop: int) -> None:
    """Take in rounds of clicks, testing and learning each."""
    for number in range(start, stop):
        loop.advance(ring(300, start=1e5 * number, seed=number))
        loop.test()
        loop.learn()


def outcome(loop: LearningLoop) -> dict[str, Any]:
    """Return what a loop has come to."""
    return {
        "quality": loop.quality.to_dict(),
        "totals": loop.totals,
        "vectors": loop.stream.item_vectors().tobytes(),
        "popularity": loop.mirror.graph().popularity.tobytes(),
        "draws": loop.rng.random(3).tolist(),
    }


@pytest.mark.parametrize(
    "made", [loop_of, lambda: LearningLoop(OPTIONS, stream_of=encoded_stream_of)]
)
def test_a_restored_loop_goes_on_as_the_saved_one(
    tmp_path: Path, made: Callable[[], LearningLoop]
) -> None:
    """Counters, weights, optimiser, replay, baselines and random numbers: all are there."""
    saved = made()
    go_on(saved, 0, 3)
    save(tmp_path / "state", {"loop": saved})
    fresh = made()
    restore(tmp_path / "state", {"loop": fresh})
    for loop in (saved, fresh):
        go_on(loop, 3, 5)
    assert outcome(fresh) == outcome(saved)


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    """Containers keep their types and bounds; what two shared, they share again."""
    shared = np.arange(3)
    before = {"a": [1, 2.5, float("inf"), None, "x"], 7: (shared, shared), "s": {1, 2}}
    save(tmp_path / "state", {"values": before, "queue": deque([1, 2], maxlen=2)})
    found = restore(tmp_path / "state", {"values": {}, "queue": deque(maxlen=2)})
    values, queue = found["values"], found["queue"]
    assert (values["a"], values["s"]) == (before["a"], before["s"])
    assert values[7][0] is values[7][1]
    assert values[7][0].tolist() == [0, 1, 2]
    assert (list(queue), queue.maxlen) == ([1, 2], 2)


def test_views_of_one_memory_stay_views_of_one(tmp_path: Path) -> None:
    """A change of one is seen by the other; alignment, strides and types are kept."""
    records = np.zeros(5, dtype=[("x", "<i4"), ("y", "<f8")])
    records["x"] = np.arange(5)
    save(tmp_path / "state", {"all": records, "x": records["x"], "late": records[3:]})
    found = restore(tmp_path / "state", {"all": None, "x": None, "late": None})
    assert found["x"].tolist() == [0, 1, 2, 3, 4]
    found["late"]["x"] = 7
    assert found["x"].tolist() == found["all"]["x"].tolist() == [0, 1, 2, 7, 7]
    assert found["all"].dtype == records.dtype


def test_arrays_that_share_memory_with_tensors_are_refused(tmp_path: Path) -> None:
    """They would be two afterwards."""
    tensor = torch.arange(10)
    with pytest.raises(TypeError, match="share memory"):
        save(tmp_path / "state", {"a": tensor, "b": tensor.numpy()})
    assert not (tmp_path / "state").exists()


@dataclass
class Foreign:
    """Of no package of ours."""

    x: int = 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    """With what to do; a foreign object keeps what it was made with."""
    (tmp_path / "junk").write_bytes(b"PK not a file")
    for name in ("junk", "missing"):
        with pytest.raises(ArtifactError, match="Run without --resume"):
            restore(tmp_path / name, {"a": 1})
    save(tmp_path / "state", {"one": Foreign(5)})
    assert restore(tmp_path / "state", {"one": Foreign(2)})["one"].x == 2
    with pytest.raises(ArtifactError, match="stopped replay"):
        restore(tmp_path / "state", {"other": 1})
