"""The retrained contender: at each moment another model, with every item's vector in its place."""

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from consumers.offline.click_history import ClickHistory, ClickHistoryOptions
from consumers.offline.replay.contender import ContenderOptions
from consumers.offline.replay.retraining import retraining as module
from consumers.offline.replay.retraining.contender import RetrainedContender
from consumers.offline.replay.retraining.joint_streams import joint_stream
from consumers.offline.replay.retraining.plan import RetrainingOptions
from consumers.offline.replay.retraining.retraining import Retraining, RetrainingSubject
from consumers.offline.replay.retraining.settings import serving_config
from consumers.offline.replay.stage_times import StageTimes
from consumers.runtime.interruption import Interruption
from consumers.runtime.progress import Progress
from gsr.baselines.together import BaselinesTogether
from gsr.counters.users.histories import Histories
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
        learns_until="never",
    )
    nothing = BaselinesTogether({}, clock.monotonic)
    return RetrainedContender(options, nothing, clock.monotonic, retraining)


def histories(contender: RetrainedContender, ids: list[str], asked: list[list[str]]) -> Histories:
    """Return users who clicked these items, by their places in `ids`."""
    items = np.array([[ids.index(item) for item in row] for row in asked])
    count, length = items.shape
    now = contender.loop.mirror.arrays.watermark
    times = now - 60.0 * np.arange(length, 0, -1) * np.ones((count, 1))
    lengths = np.full(count, length)
    return Histories(items, times, np.zeros(items.shape, np.uint8), lengths, np.full(count, now))


def test_each_moment_brings_its_model_with_every_item_in_its_place(
    retraining: Retraining,
) -> None:
    """Scores are those of the model that was learned, on the same clicks and the same context."""
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
                check_same_scores(contender, *retraining.files(passed[-1]).read())
    assert contender.loop.quality.overall.scored > 300
    assert contender.loop.totals.cycles == 0


def check_same_scores(contender: RetrainedContender, model: Any, ids: list[str]) -> None:
    """Compare vectors of users and items, and the channels' weights, id by id."""
    loop = contender.loop
    stream = joint_stream(loop)
    rows = loop.mirror.item_ids
    encoded = stream.encoded_items()
    own = model.encode_items(loop.mirror.graph())
    for number, item_id in enumerate(ids):
        assert (encoded.fused[rows.index(item_id)] == own.fused[number]).all()
    asked = [ids[start : start + 3] for start in range(0, 30, 3)]
    there = histories(contender, rows, asked)
    context = stream.model.context(there, loop.mirror.graph())
    found = stream.model.user_queries(there, loop.mirror.graph(), items=encoded, context=context)
    alone = histories(contender, ids, asked)
    expected = model.user_queries(alone, loop.mirror.graph(), items=own, context=context)
    assert (found.vectors == expected.vectors).all()
    assert (found.channel_weights == expected.channel_weights).all()


def test_items_that_came_later_begin_near_their_neighbours(retraining: Retraining) -> None:
    """Not as nothing: a model that learns on the stream gives them rows as well."""
    contender = contender_of(retraining)
    with ExitStack() as stack:
        contender.begin(stack, 0, Interruption())
        for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
            contender.turn(batch, rank=True)
    stream = joint_stream(contender.loop)
    stream.let_items_in()
    vectors = stream.item_vectors()
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
    before = joint_stream(contender.loop).model
    with ExitStack() as stack:
        contender.begin(stack, 0, Interruption())
        for batch in retraining._subject.history.batches():  # noqa: SLF001 - what it learns from
            contender.turn(batch, rank=True)
    assert joint_stream(contender.loop).model is before
    cost = retraining.cost()
    assert cost["models"] == 0
    assert all("two clicks" in moment["reason"] for moment in cost["moments"])
    assert len(cost["moments"]) == len(retraining.moments) == 2


def test_a_run_that_goes_on_has_models_of_the_right_shape(retraining: Retraining) -> None:
    """Before its state is restored: the newest model that ranked a click behind it."""
    with ExitStack() as stack:
        contender_of(retraining).begin(stack, 0, Interruption())
    for done, dimension in ((300, serving_config(CONFIG).dimension), (301, 8), (900, 8)):
        contender = contender_of(retraining)
        with ExitStack() as stack:
            contender.begin(stack, done, Interruption())
        model = joint_stream(contender.loop).model
        assert model.config.dimension == dimension
        assert (model.config.history_length == 8) == (done > 300)
        assert torch.isfinite(model.table.weight).all()
