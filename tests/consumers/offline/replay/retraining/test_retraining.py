"""Retraining beside a replay: cut at exact clicks, waited for, told apart in the cost."""

import threading
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Self

import pytest

from consumers.errors import ConfigError
from consumers.offline.replay.retraining import retraining as module
from consumers.offline.replay.retraining.model_files import Learned
from consumers.offline.replay.retraining.training import TrainingOrder
from consumers.runtime.interruption import Interruption
from consumers.runtime.usage import Usage
from gsr.errors import TrainingError
from tests.consumers.offline.replay.retraining.test_contender import retraining_of
from tests.consumers.offline.replay.small_replays import shoppers, write_events


class TrainingWhenLookedAt:
    """Stands for processes whose models are there after a few looks, or never."""

    looks = 3
    error: Exception | None = None

    def __init__(self) -> None:
        self.ordered: list[TrainingOrder] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start(self, order: TrainingOrder) -> None:
        self.ordered.append(order)

    def is_done(self, number: int) -> bool:
        if self.error is not None:
            raise self.error
        self.looks -= 1
        if self.looks > 0:
            return False
        order = self.ordered[number]
        cost = Usage(cpu_seconds=7.0, peak_memory_bytes=9)
        order.files.write_learned(
            Learned(clicks=order.clicks, passes=4, seconds=9.0, **asdict(cost))
        )
        return True


@pytest.fixture
def retraining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> module.Retraining:
    monkeypatch.setattr(module, "TrainingProcesses", TrainingWhenLookedAt)
    monkeypatch.setattr(module, "LOOKS_SECONDS", 0.001)
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    found = retraining_of(events, tmp_path, hours=5.0)
    with ExitStack() as stack:
        found.begin(stack, 0, Interruption())
    return found


def test_batches_are_cut_where_a_model_takes_over(retraining: module.Retraining) -> None:
    """Every click once and in order; each moment begins a part."""
    found = []
    for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
        for part, moment in retraining.parts(batch):
            found.append((int(part.offsets[0]), len(part), moment and moment.number))
    assert found == [
        *((0, 200, None), (200, 100, None), (300, 100, 0)),
        *((400, 200, None), (600, 200, 1), (800, 100, None)),
    ]


def test_a_model_is_waited_for_before_its_first_click(retraining: module.Retraining) -> None:
    """And not before; its processes' time is in no other cost."""
    interruption = Interruption()
    processes = retraining._processes  # noqa: SLF001 - the stand-in
    assert retraining.ready(100, 300, interruption)
    assert processes.looks == 3  # type: ignore[attr-defined]  # of the stand-in
    assert retraining.ready(200, 400, interruption)
    assert processes.looks <= 0  # type: ignore[attr-defined]  # of the stand-in
    cost = retraining.cost()
    assert (cost["models"], cost["cpu_seconds"], cost["hours"]) == (1, 7.0, 5.0)
    assert [one["clicks"] for one in cost["moments"]] == [300]
    assert cost["waiting_seconds"] >= 0.0


def test_waiting_ends_where_the_replay_is_to_end(retraining: module.Retraining) -> None:
    """Nothing of the next clicks is taken in then, so that the state is whole."""
    interruption = Interruption()
    retraining._processes.looks = 10**9  # type: ignore[attr-defined]  # noqa: SLF001 - stand-in
    threading.Timer(0.05, interruption.stop.set).start()
    assert not retraining.ready(200, 400, interruption)


def test_a_model_that_failed_ends_the_replay(retraining: module.Retraining) -> None:
    retraining._processes.error = TrainingError("no memory")  # type: ignore[attr-defined]  # noqa: SLF001 - stand-in
    with pytest.raises(TrainingError, match="no memory"):
        retraining.ready(200, 400, Interruption())


def test_too_many_models_are_refused_before_any_is_learned(tmp_path: Path) -> None:
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    retraining = retraining_of(events, tmp_path, hours=0.01)
    with ExitStack() as stack, pytest.raises(ConfigError, match="200 times"):
        retraining.begin(stack, 0, Interruption())
    assert not list((tmp_path / module.DIRECTORY).iterdir())
