"""The learner: that it learns, judges, takes back, forgets, and goes on after a restart."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gsr.errors import SnapshotError, TrainingError
from gsr.loop.ranker_stream import RankerStream
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.config import RankerConfig
from gsr.ranker.features import CONTEXT, LENGTH
from gsr.ranker.learner import RankerLearner
from gsr.ranker.linear_steps import MOST_GRADIENTS, OWN_EXAMPLES
from gsr.ranker.model import (
    COLD_WEIGHTS,
    FEW_CLICKS,
    FEW_WEIGHTS,
    MANY_CLICKS,
    MOST_FEW,
    NO_CLICKS,
    WEIGHTS,
    RankerModel,
    kinds_of,
)
from gsr.ranker.ranked_clicks import RankedClicks
from gsr.ranker.recorder import ClickRecorder
from gsr.ranker.snapshot import from_snapshot, to_arrays, to_manifest
from tests.gsr.ranker.world import LEARNING, SHAPE, STATE, Stream, walks

PART = STATE.buffer_length - 1


def go_on(stream: Stream, count: int, *, first: int = 0, learning: bool = True) -> np.ndarray:
    """Test clicks, and learn them in cycles; return their ranks."""
    world = RankerStream(stream.model, LEARNING, stream.counters, mask_seen=True)
    world.learner, world.recorder = stream.learner, stream.recorder
    batch, ranks, cycle = walks(first + count, seed=5), [], 70
    for start in range(first, first + count, cycle):
        for at in range(start, min(start + cycle, first + count), PART):
            part = batch.slice(at, min(at + PART, start + cycle, first + count))
            applied = stream.push(part)
            rows = applied.accepted_rows
            recorded = world.record(applied, rows, np.arange(len(rows)).astype(np.uint64))
            ranks.append(world.test(recorded, np.ones(len(rows), dtype=np.bool_)))
        if learning:
            stream.learner.learn()
    return np.concatenate(ranks)


def waiting(stream: Stream, count: int = 140) -> list[RankedClicks]:
    """Return clicks that wait to be learned, after the stream has learned others."""
    go_on(stream, 700)
    go_on(stream, count, first=700, learning=False)
    found, stream.learner._waiting = stream.learner._waiting, []  # noqa: SLF001 - to hand them out twice
    stream.learner.linear.forget()  # it waits as well
    return found


@pytest.mark.parametrize("vectors", [True, False])
def test_it_learns_who_follows_whom(vectors: bool) -> None:
    """Later the next item is mostly the first, by counts alone as well."""
    stream = Stream(replace(SHAPE, vectors=vectors))
    ranks = go_on(stream, 2100)
    seen = ranks[-500:] == MISS  # what a user has seen is no candidate, and they walk in a ring
    assert (ranks[-500:][~seen] == 1).mean() > 0.6
    assert (ranks[:100][ranks[:100] != MISS] == 1).mean() < 0.5


def test_a_cycle_reports_what_it_did() -> None:
    """Every click is learned once, replay as often as asked for; the loss falls."""
    stream = Stream(replay=2.0)
    batches = waiting(stream)
    for batch in batches:
        stream.learner.add(batch)
    count = stream.learner.waiting
    found = stream.learner.learn()
    assert found is not None
    report, verdict = found
    assert report.fresh == count > 100
    assert report.replayed > 0
    assert report.steps > report.fresh / LEARNING.step
    assert 0.0 < report.loss < np.log(SHAPE.kept)
    assert report.touched_rows > 0
    assert verdict.promoted
    assert verdict.samples == 0
    assert stream.learner.waiting == 0
    assert stream.learner.learn() is None
    stream.learner.add(batches[0])
    late = stream.learner.learn(lambda: True)
    assert late is not None
    assert late[0].replayed == 0 < late[0].shed


def test_worse_weights_are_taken_back() -> None:
    """With all that belongs to them; what the judge saw is learned in the next cycle."""
    stream = Stream(holdout=0.5, worse_z=-1e6)
    for batch in waiting(stream):
        users = np.random.default_rng(0).integers(2**32, size=batch.clicks).astype(np.uint64)
        stream.learner.add(batch._replace(users=users))
    before, state = to_arrays(stream.model), stream.learner.state()[0]
    count = stream.learner.waiting
    found = stream.learner.learn()
    assert found is not None
    report, verdict = found
    assert not verdict.promoted
    assert 10 < verdict.samples < count
    assert report.fresh < count
    for name, array in to_arrays(stream.model).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    after = stream.learner.state()[0]
    for name, array in state.items():
        kept = name.startswith(("network", "linear", "scaling", "vectors.items", "vectors.encoder"))
        if kept and not name.endswith("steps"):  # rows touched are counted all the same
            np.testing.assert_array_equal(array, after[name], err_msg=name)
    held = sum(name.endswith("targets") and name.startswith("held") for name in after)
    assert held == 1
    stream.learner.add(walks_again(stream))
    later = stream.learner.learn()
    assert later is not None
    assert later[0].fresh > count - report.fresh


def walks_again(stream: Stream) -> RankedClicks:
    """Return some clicks of one user more, whom no judge sees."""
    held = stream.learner._held[0]  # noqa: SLF001 - clicks of the right shape
    return held.part(np.arange(5))._replace(users=np.full(5, 2**32 - 1, dtype=np.uint64))


def test_newcomers_have_weights_of_their_own() -> None:
    """What they click first is learned for them alone, and ranks for them alone."""
    stream = Stream()
    model, learner = stream.model, stream.learner
    rng = np.random.default_rng(0)
    starts, since = np.arange(0, 121, 6), model.layout.places.since_last_click
    before = model.linear.copy()
    cold = np.full(20, NO_CLICKS, dtype=np.int8)
    for _ in range(100):
        values = rng.standard_normal((120, model.counted)).astype(np.float32)
        targets = starts[:-1] + values[:, since].reshape(20, 6).argmin(axis=1)
        scores = model.linear_scores(values, starts, cold)
        learner.linear.note(values, scores, starts, targets, cold)
        learner.linear.take()
    assert (model.linear[COLD_WEIGHTS] != before[COLD_WEIGHTS]).any()
    np.testing.assert_array_equal(model.linear[:COLD_WEIGHTS], before[:COLD_WEIGHTS])
    found = model.linear_scores(values, starts, cold).reshape(20, 6).argmax(axis=1)
    assert (starts[:-1] + found == targets).mean() > 0.8
    context = np.ones((20, len(CONTEXT)), dtype=np.float32)
    context[:, LENGTH] = 0.0
    learned = np.zeros((20, 6, model.learned), dtype=np.float32)
    features = np.concatenate((values.reshape(20, 6, -1), learned), axis=2)
    ranked = model.scores(features, context).argmax(axis=1)
    assert (starts[:-1] + ranked == targets).mean() > 0.8
    context[:, LENGTH] = 1.0
    assert (model.scores(features, context) == 0.0).all()  # the network has learned nothing


def test_users_with_few_clicks_have_weights_beside_those_of_all() -> None:
    """What few of them click teaches theirs once there are enough, and everybody's at once."""
    stream = Stream()
    model, linear = stream.model, stream.learner.linear
    rng = np.random.default_rng(0)
    starts, few = np.arange(0, 61, 6), np.full(10, FEW_CLICKS, dtype=np.int8)
    for number in range(1, 101):
        before = model.linear.copy()
        values = rng.standard_normal((60, model.counted)).astype(np.float32)
        targets = starts[:-1] + values[:, 0].reshape(10, 6).argmax(axis=1)
        linear.note(values, model.linear_scores(values, starts, few), starts, targets, few)
        linear.take()
        assert (model.linear[WEIGHTS] != before[WEIGHTS]).any()
        moved = (model.linear[FEW_WEIGHTS] != before[FEW_WEIGHTS]).any()
        assert moved == (10 * number % OWN_EXAMPLES == 0)
        np.testing.assert_array_equal(model.linear[COLD_WEIGHTS], before[COLD_WEIGHTS])
    scores = model.linear_scores(values, starts, few)
    many = model.linear_scores(values, starts, np.full(10, MANY_CLICKS, dtype=np.int8))
    own = values @ (model.linear[FEW_WEIGHTS] * model.scaling.inverses)
    np.testing.assert_allclose(scores - many, own, rtol=1e-3, atol=1e-4)
    assert np.abs(own).max() > 0.1


def test_kinds_of_users_go_by_what_is_known_of_them() -> None:
    """None, a few clicks, more."""
    context = np.zeros((4, len(CONTEXT)), dtype=np.float32)
    context[:, LENGTH] = np.log1p([0, 1, MOST_FEW, MOST_FEW + 1])
    assert kinds_of(context).tolist() == [NO_CLICKS, FEW_CLICKS, FEW_CLICKS, MANY_CLICKS]


@pytest.mark.parametrize("end_to_end", [True, False])
def test_the_rankers_loss_teaches_the_vectors_unless_it_may_not(end_to_end: bool) -> None:
    """Of clicks whose item nobody knows, so that the vectors' own softmax says nothing."""
    stream = Stream(end_to_end=end_to_end)
    go_on(stream, 140, learning=False)
    vectors = stream.model.vectors
    assert vectors is not None
    stream.learner._waiting = [  # noqa: SLF001 - the clicks that wait, with less known of them
        one._replace(lookups=one.lookups._replace(clicked=np.full(one.clicks, -1, dtype=np.int32)))
        for one in stream.learner._waiting  # noqa: SLF001
    ]
    before = vectors.items.values.copy()
    assert stream.learner.learn() is not None
    assert (vectors.items.values != before).any() == end_to_end


def test_numbers_that_are_not_finite_change_nothing() -> None:
    """The clicks are dropped, and learning goes on without them."""
    stream = Stream()
    batches = waiting(stream)
    before = to_arrays(stream.model)
    broken = batches[0].features.copy()
    broken[:, 0] = np.nan
    stream.learner.add(batches[0]._replace(features=broken))
    with np.errstate(all="ignore"), pytest.raises(TrainingError, match="not finite"):
        stream.learner.learn()
    for name, array in to_arrays(stream.model).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    stream.learner.add(batches[1])
    found = stream.learner.learn()
    assert found is not None
    assert np.isfinite(found[0].loss)


def test_a_restart_goes_on_exactly() -> None:
    """Weights, optimiser, replay, what the judge saw and the draws: all as if it never stopped."""
    stream = Stream(holdout=0.3)
    batches = waiting(stream)
    model = from_snapshot(to_arrays(stream.model), to_manifest(stream.model), SHAPE)
    other = RankerLearner(model, stream.learner.learning)
    other.restore(*stream.learner.state())
    for learner in (stream.learner, other):
        for batch in batches:
            learner.add(batch)
        assert learner.learn() is not None
    for name, array in to_arrays(stream.model).items():
        np.testing.assert_array_equal(array, to_arrays(model)[name], err_msg=name)
    mine, theirs = stream.learner.state(), other.state()
    assert mine[1] == theirs[1]
    for name, array in mine[0].items():
        np.testing.assert_array_equal(array, theirs[0][name], err_msg=name)


@pytest.mark.parametrize(
    ("kind", "row"), [(NO_CLICKS, COLD_WEIGHTS), (FEW_CLICKS, FEW_WEIGHTS)], ids=["none", "few"]
)
def test_what_newcomers_said_is_not_lost_by_a_restart(kind: int, row: int) -> None:
    """Their clicks wait for the linear score alone, and those of few for a step by enough of them.

    The first half is noted before a restart, the second after it.
    """
    stream = Stream()
    batches = waiting(stream)
    first, second = some_candidates(stream.model, 0), some_candidates(stream.model, 1)
    note_clicks(stream.learner, first, kind)
    model = from_snapshot(to_arrays(stream.model), to_manifest(stream.model), SHAPE)
    other = RankerLearner(model, stream.learner.learning)
    other.restore(*stream.learner.state())
    before = model.linear.copy()
    for learner in (stream.learner, other):
        learner.add(batches[0])
        assert learner.learn() is not None
    again = RankerLearner(model, stream.learner.learning)
    again.restore(*other.state())
    for learner in (stream.learner, again):
        note_clicks(learner, second, kind)
        learner.add(batches[1])
        assert learner.learn() is not None
    assert (model.linear[row] != before[row]).any()
    np.testing.assert_array_equal(model.linear, stream.model.linear)


def some_candidates(model: RankerModel, seed: int) -> npt.NDArray[np.float32]:
    """Return the candidates' values of a few more than half the clicks of one step."""
    clicks = OWN_EXAMPLES // 2 + 1
    values = np.random.default_rng(seed).standard_normal((4 * clicks, model.counted))
    return values.astype(np.float32)


def note_clicks(learner: RankerLearner, values: npt.NDArray[np.float32], kind: int) -> None:
    """Note that the second of four candidates was clicked each time."""
    starts = np.arange(0, len(values) + 1, 4)
    kinds = np.full(len(starts) - 1, kind, dtype=np.int8)
    scores = learner.model.linear_scores(values, starts, kinds)
    learner.linear.note(values, scores, starts, starts[:-1] + 1, kinds)


def test_what_newcomers_say_stays_within_bounds() -> None:
    """Where nobody ever clicks twice, nothing is learned; sums take the place of many."""
    stream = Stream()
    values = np.ones((4, stream.model.counted), dtype=np.float32)
    starts, cold = np.array([0, 2, 4]), np.full(2, NO_CLICKS, dtype=np.int8)
    for _ in range(MOST_GRADIENTS + 50):
        scores = np.zeros(4, dtype=np.float32)
        stream.learner.linear.note(values, scores, starts, np.array([0, 3]), cold)
    gradients, clicks = stream.learner.linear.noted
    assert gradients == MOST_GRADIENTS
    assert clicks == 2 * (MOST_GRADIENTS + 50)


def test_another_number_of_candidates_may_follow_a_restart() -> None:
    """What the judge saw before is left out: it has as many as then."""
    stream = Stream(holdout=0.3)
    for batch in waiting(stream):
        users = np.random.default_rng(0).integers(2**32, size=batch.clicks).astype(np.uint64)
        stream.learner.add(batch._replace(users=users))
    assert stream.learner.learn() is not None
    model = from_snapshot(to_arrays(stream.model), to_manifest(stream.model), SHAPE)
    other = Stream(holdout=0.3, candidates=10)
    other.model, other.learner = model, RankerLearner(model, other.learner.learning)
    other.learner.restore(*stream.learner.state())
    other.recorder = ClickRecorder(model, other.counters, mask_seen=True)
    go_on(other, 140)
    assert other.learner.replay.draw().examples.targets.shape[0] > 0


def test_another_state_is_refused() -> None:
    """By its format, and by its shape."""
    stream = Stream()
    arrays, document = stream.learner.state()
    with pytest.raises(SnapshotError, match="format 1, not 5"):
        stream.learner.restore(arrays, document | {"format": 1})
    wide = RankerLearner(RankerModel(replace(SHAPE, hidden=9)), LEARNING)
    with pytest.raises(SnapshotError, match="does not fit"):
        wide.restore(arrays, document)


def test_rows_of_items_that_left_are_forgotten() -> None:
    """Clicks on them are not learned, and their vectors begin anew."""
    stream = Stream()
    batches = waiting(stream)
    for batch in batches:
        stream.learner.add(batch)
    gone = np.unique(batches[0].lookups.clicked)[:5].astype(np.int64)
    on_gone = sum(int(np.isin(batch.lookups.clicked, gone).sum()) for batch in batches)
    count = stream.learner.waiting
    assert stream.model.vectors is not None
    before = stream.model.vectors.items.values.copy()
    stream.learner.renew(gone)
    assert stream.learner.waiting == count - on_gone < count
    after = stream.model.vectors.items.values
    moved = (before != after).any(axis=1)
    assert np.flatnonzero(moved).tolist() == gone.tolist()
    for block in (stream.learner.replay.draw() for _ in range(20)):
        for column in (block.lookups.recent, block.lookups.candidates, block.lookups.clicked):
            assert not np.isin(column, gone).any()


def test_what_waits_too_long_is_let_go() -> None:
    """The oldest first, until so many are left."""
    stream = Stream()
    batches = waiting(stream)
    for batch in batches:
        stream.learner.add(batch)
    count = stream.learner.waiting
    dropped = stream.learner.drop_waiting(count - 1)
    assert dropped == batches[0].clicks
    assert stream.learner.waiting == count - dropped
    assert stream.learner.drop_waiting() == count - dropped
    assert stream.learner.learn() is None


def test_replay_keeps_within_its_limit() -> None:
    """Whatever is learned."""
    stream = Stream()
    go_on(stream, 1400)
    assert 0 < stream.learner.replay.nbytes <= stream.learner.replay_limit_bytes


def test_all_features_off_learns_without_harm() -> None:
    """Nothing to tell candidates apart: every rank is the last one."""
    shape = RankerConfig(
        **{
            **{name: getattr(SHAPE, name) for name in SHAPE.__slots__},
            "vectors": False,
            "without": tuple({f.group for f in RankerModel(SHAPE).layout.features}),
        }
    )
    ranks = go_on(Stream(shape), 350)
    assert (ranks[ranks != MISS] >= 5).all()
