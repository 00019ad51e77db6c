"""The retrained contender: at each moment another model, with every item's vector in its place."""

import math
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch

from consumers.offline.click_history import ClickHistory, ClickHistoryOptions
from consumers.offline.replay.contender import ContenderOptions
from consumers.offline.replay.retraining import retraining as module
from consumers.offline.replay.retraining.contender import RetrainedContender
from consumers.offline.replay.retraining.plan import RetrainingOptions
from consumers.offline.replay.retraining.retraining import Retraining, RetrainingSubject
from consumers.offline.replay.stage_times import StageTimes
from consumers.runtime.interruption import Interruption
from consumers.runtime.progress import Progress
from gsr.baselines.together import BaselinesTogether
from gsr.network.encoded_vectors import EncodedVectors
from gsr.network.model import JointModel
from gsr.ranker.lookups import Lookups
from stream.clock import ManualClock
from tests.consumers.offline.replay.retraining.at_once import TrainingAtOnce
from tests.consumers.offline.replay.retraining.world import CONFIG, SHAPE
from tests.consumers.offline.replay.small_replays import shoppers, write_events

WARMED = 300


@pytest.fixture
def retraining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Retraining:
    monkeypatch.setattr(module, "TrainingProcesses", TrainingAtOnce)
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    return retraining_of(events, tmp_path, hours=5.0)


def retraining_of(events: Path, directory: Path, hours: float) -> Retraining:
    """Return two retrainings of 900 clicks a minute apart, or more."""
    told: list[Progress] = []
    options = ClickHistoryOptions(events=events, config=CONFIG, cycle_clicks=200)
    subject = RetrainingSubject(
        history=ClickHistory.look_through(options, told.append, math.inf),
        config=CONFIG,
        seed=1,
        mask_seen=True,
        warmed=WARMED,
    )
    times = StageTimes(("waiting",), ManualClock(0.0).monotonic)
    asked = RetrainingOptions(hours=hours, passes=2, shape=SHAPE)
    return Retraining(asked, subject, directory, told.append, times)


def contender_of(retraining: Retraining) -> RetrainedContender:
    clock = ManualClock(0.0)
    options = ContenderOptions(
        name="retrained",
        config=CONFIG,
        seed=1,
        mask_seen=True,
        window_seconds=3600.0,
    )
    nothing = BaselinesTogether({}, clock.monotonic)
    return RetrainedContender(options, nothing, clock.monotonic, retraining)


def test_each_moment_brings_its_model_with_every_item_in_its_place(
    retraining: Retraining,
) -> None:
    """The ranker is told of the same products as by the model that was learned."""
    contender = contender_of(retraining)
    with ExitStack() as stack:
        contender.begin(stack, 0, Interruption())
        assert [one.clicks for one in retraining.moments] == [300, 600]
        for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
            first = int(batch.offsets[0])
            contender.turn(batch.slice(0, len(batch) // 2), rank=first >= WARMED)
            contender.turn(batch.slice(len(batch) // 2, len(batch)), rank=first >= WARMED)
            passed = [one for one in retraining.moments if one.clicks < first + len(batch)]
            if passed:
                check_same_vectors(contender, *retraining.files(passed[-1]).read())
    assert contender.loop.quality.overall.scored > 300
    assert contender.loop.totals.cycles > 0


def check_same_vectors(contender: RetrainedContender, model: JointModel, ids: list[str]) -> None:
    """Compare vectors of items, and what the ranker is told of candidates, id by id."""
    rows, vectors = contender.loop.mirror.item_ids, contender.stream.vectors
    assert vectors is not None
    own = EncodedVectors(model, contender.loop.mirror.graph())
    for number, item_id in enumerate(ids):
        assert (vectors.items[rows.index(item_id)] == own.items[number]).all()
    asked = [ids[start : start + 3] for start in range(0, 30, 3)]
    there, alone = lookups(asked, rows), lookups(asked, ids)
    np.testing.assert_array_equal(vectors.features(there), own.features(alone))


def lookups(asked: list[list[str]], ids: list[str]) -> Lookups:
    """Return users who clicked these items, a minute apart, and who choose among them."""
    items = np.array([[ids.index(item) for item in row] for row in asked], np.int32)
    ages = 60.0 * np.arange(1, items.shape[1] + 1, dtype=np.float32) * np.ones_like(items)
    return Lookups(items, ages.astype(np.float32), items, np.full(len(items), -1, np.int32))


def test_items_that_came_later_begin_near_their_neighbours(retraining: Retraining) -> None:
    """Not as nothing: a model that learns on the stream gives them rows as well."""
    contender = contender_of(retraining)
    with ExitStack() as stack:
        contender.begin(stack, 0, Interruption())
        for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
            contender.turn(batch, rank=True)
    contender.stream.begin_chunk()
    vectors = contender.stream.item_vectors()
    assert len(vectors) == contender.loop.mirror.items
    assert (np.abs(vectors).sum(axis=1) > 0.0).all()


def test_too_few_clicks_leave_the_model_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts rank until there is something to learn; the cost says why."""
    monkeypatch.setattr(module, "TrainingProcesses", TrainingAtOnce)
    rows = [(f"u{n}", f"i{n % 5}", 1e9 + 60.0 * n) for n in range(400)]
    events = write_events(tmp_path / "clicks.csv", rows)
    retraining = retraining_of(events, tmp_path, hours=1.0)
    contender = contender_of(retraining)
    with ExitStack() as stack:
        contender.begin(stack, 0, Interruption())
        for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
            contender.turn(batch, rank=True)
    assert contender.stream.vectors is None
    cost = retraining.cost()
    assert cost["models"] == 0
    assert all("two clicks" in moment["reason"] for moment in cost["moments"])
    assert len(cost["moments"]) == len(retraining.moments) == 2


def test_a_run_that_goes_on_has_models_of_the_right_shape(retraining: Retraining) -> None:
    """Before its state is restored: the newest model that ranked a click behind it."""
    with ExitStack() as stack:
        contender_of(retraining).begin(stack, 0, Interruption())
    for done in (300, 301, 900):
        contender = contender_of(retraining)
        with ExitStack() as stack:
            contender.begin(stack, done, Interruption())
        vectors = contender.stream.vectors
        assert (vectors is None) == (done == 300)
        if vectors is not None:
            assert vectors.model.config.dimension == 8
            assert torch.isfinite(vectors.model.table.weight).all()
