"""Learning a fixed set of clicks: it learns, knows no answers, and goes on where it was."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gsr.config import RANKING_SETTINGS, BatchConfig, ModelConfig
from gsr.counters.interactions import Interactions
from gsr.errors import SnapshotError, TrainingError
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.quality.protocols import leave_one_out
from gsr.quality.ranking_metrics import metric_means
from gsr.votes.click_graph import UNDYING
from tests.gsr.world import one_click_a_minute

ITEMS = 24
SHAPE = ModelConfig(
    half_lives=UNDYING,
    dimension=16,
    history_length=6,
    graph_encoder=False,
    dropout=0.1,
)
PACE = BatchConfig(
    learning_rate=0.01,
    embedding_rate=0.01,
    warm_up_steps=2,
    batch_positions=256,
    average_decay=0.9,
)


def _walks(users: int, rng: np.random.Generator, length: int = 9) -> Interactions:
    """Users who walk round a ring of items, by one or two."""
    steps = rng.integers(1, 3, (users, length))
    items = (rng.integers(ITEMS, size=(users, 1)) + steps.cumsum(axis=1)) % ITEMS
    return one_click_a_minute(items, ITEMS)


@pytest.fixture
def clicks() -> Interactions:
    return _walks(150, np.random.default_rng(8))


def _learner(
    clicks: Interactions,
    ends: npt.NDArray[np.int64],
    shape: ModelConfig = SHAPE,
    pace: BatchConfig = PACE,
) -> BatchLearner:
    return BatchLearner(JointModel(shape, seed=3), pace, clicks, ends, seed=3)


def test_it_learns(clicks: Interactions) -> None:
    """User vectors alone find the ring's two next items among 24."""
    split = leave_one_out(clicks)
    learner = _learner(clicks, split.valid.learned_ends)
    passes = [learner.learn_once() for _ in range(15)]
    clicked = int((split.valid.learned_ends - 1).sum()) - int(clicks.starts[:-1].sum())
    assert {one.positions for one in passes} == {clicked}
    assert passes[-1].loss < passes[0].loss
    assert metric_means(learner.ranks(split.test.cases))["hr@5"] > 0.7


def test_there_may_be_no_encoders(clicks: Interactions) -> None:
    learner = _learner(clicks, clicks.starts[1:], replace(SHAPE, sequence_encoder=False))
    assert not learner.has_encoders
    assert learner.learn_once().positions == 0


def test_vectors_are_those_that_rank(clicks: Interactions) -> None:
    split = leave_one_out(clicks)
    learner, cases = _learner(clicks, split.valid.learned_ends), split.test.cases
    learner.learn_once()
    vectors = learner.vectors(cases)
    scores = vectors.users @ vectors.items.T
    own = scores[np.arange(len(cases)), cases.targets(clicks)]
    ranks = (scores >= own[:, None]).sum(axis=1)
    np.testing.assert_array_equal(learner.ranks(cases, mask_seen=False), ranks)


@pytest.mark.parametrize("sequence", [False, True])
def test_items_may_be_propagated_over_the_graph(clicks: Interactions, sequence: bool) -> None:
    """The graph encoder learns too, beside the sequence encoder or alone."""
    split = leave_one_out(clicks)
    shape = replace(SHAPE, graph_encoder=True, hops=2, fanout=8, sequence_encoder=sequence)
    learner = _learner(clicks, split.valid.learned_ends, shape)
    before = learner.weights()
    passes = [learner.learn_once() for _ in range(10)]
    assert passes[-1].loss < passes[0].loss
    for name in ("mixes.0.logits", "hop_weights"):
        assert not torch.equal(learner.weights()[name], before[name])
    assert metric_means(learner.ranks(split.test.cases))["hr@5"] > 0.7


def test_a_sampled_softmax_learns_as_a_full_one(clicks: Interactions) -> None:
    split = leave_one_out(clicks)
    few = _learner(clicks, split.valid.learned_ends, pace=replace(PACE, sampled_items=4))
    for _ in range(16):
        few.learn_once()
    found = metric_means(few.ranks(split.test.cases))
    assert found["hr@5"] > 0.7


def test_encoders_of_an_ensemble_learn_each_by_itself(clicks: Interactions) -> None:
    """One learns the same whatever another begins with; the sum of their scores ranks."""
    split = leave_one_out(clicks)
    shape = replace(SHAPE, dimension=32, ensemble=2)
    learner, other = (_learner(clicks, split.valid.learned_ends, shape) for _ in range(2))
    other.model.table.weight[:, :16] += torch.randn(ITEMS, 16, generator=torch.Generator())
    losses = [one.learn_once().loss for one in (learner, other)]
    assert losses[0] != losses[1]
    ours, theirs = learner.weights(), other.weights()
    moved = {name for name in ours if not torch.equal(ours[name], theirs[name])}
    assert not torch.equal(ours["items"][:, :16], theirs["items"][:, :16])
    torch.testing.assert_close(ours["items"][:, 16:], theirs["items"][:, 16:], rtol=0.0, atol=0.0)
    assert "sequence.encoders.0.blocks.0.query.weight" in moved
    assert not any(name.startswith("sequence.encoders.1.") for name in moved)
    for _ in range(14):
        learner.learn_once()
    alone = learner.ranks(split.test.cases)
    assert metric_means(alone)["hr@5"] > 0.7


@pytest.mark.parametrize("ensemble", [1, 2])
def test_scores_may_be_cosines(clicks: Interactions, ensemble: int) -> None:
    """Every encoder's share of an item has length 1."""
    split = leave_one_out(clicks)
    shape = replace(SHAPE, score_scale=8.0, ensemble=ensemble)
    learner = _learner(clicks, split.valid.learned_ends, shape)
    for _ in range(15):
        learner.learn_once()
    assert metric_means(learner.ranks(split.test.cases))["hr@5"] > 0.7
    items = learner.vectors(split.test.cases).items
    shares = np.linalg.norm(items.reshape(ITEMS, ensemble, -1), axis=2)
    np.testing.assert_allclose(shares, 1.0, rtol=1e-5)


def test_long_histories_are_learned_from_their_newest_clicks() -> None:
    clicks = _walks(20, np.random.default_rng(2), length=30)
    learner = _learner(clicks, clicks.starts[1:])
    assert learner.learn_once().positions == 20 * SHAPE.history_length


@pytest.mark.parametrize("name", sorted(RANKING_SETTINGS | {"window_weights"}))
def test_encoders_do_not_depend_on_what_ranks_beside_them(clicks: Interactions, name: str) -> None:
    """Nor on edges that nothing reads. So evaluations that differ only in that may share them."""
    pace = replace(PACE, **{name: _another(getattr(PACE, name))})
    ends = clicks.starts[1:]
    plain, other = _learner(clicks, ends), _learner(clicks, ends, pace=pace)
    assert plain.learn_once() == other.learn_once()
    np.testing.assert_array_equal(plain.weights()["items"], other.weights()["items"])


def _another(value: Any) -> Any:
    """Return a value of a setting that differs."""
    return (1.0, 0.25) if isinstance(value, tuple) else value * 2


def test_one_learning_repeats_another_and_goes_on_after_a_stop(clicks: Interactions) -> None:
    """The same seed gives the same weights, whether or not it was interrupted."""
    ends = clicks.starts[1:]
    whole, stopped = _learner(clicks, ends), _learner(clicks, ends)
    for _ in range(4):
        whole.learn_once()
    for _ in range(2):
        stopped.learn_once()
    resumed = _learner(clicks, ends)
    resumed.restore(*stopped.state())
    for _ in range(2):
        resumed.learn_once()
    for name, weight in whole.weights().items():
        torch.testing.assert_close(resumed.weights()[name], weight, rtol=0.0, atol=0.0)


def test_a_state_of_another_shape_is_refused(clicks: Interactions) -> None:
    other = _learner(clicks, clicks.starts[1:], replace(SHAPE, dimension=8))
    with pytest.raises(SnapshotError, match="another model"):
        _learner(clicks, clicks.starts[1:]).restore(*other.state())


def test_ranking_leaves_learning_alone(clicks: Interactions) -> None:
    """The average that ranks is put back, and weights that were kept rank as before."""
    split = leave_one_out(clicks)
    learner = _learner(clicks, split.valid.learned_ends)
    learner.learn_once()
    before, kept = learner.state()[0], learner.weights()
    ranks = learner.ranks(split.test.cases)
    for name, tensor in learner.state()[0].items():
        torch.testing.assert_close(tensor, before[name], rtol=0.0, atol=0.0)
    learner.learn_once()
    learner.load_weights(kept)
    np.testing.assert_array_equal(learner.ranks(split.test.cases), ranks)


def test_ranks_do_not_depend_on_what_comes_after(clicks: Interactions) -> None:
    """Neither a case's target nor later clicks move its scores."""
    split = leave_one_out(clicks)
    learner = _learner(clicks, split.valid.learned_ends)
    learner.learn_once()
    changed = clicks.items.copy()
    changed[split.test.cases.positions] = (changed[split.test.cases.positions] + 7) % ITEMS
    other = BatchLearner(
        JointModel(SHAPE, seed=3),
        PACE,
        replace(clicks, items=changed),
        split.valid.learned_ends,
        seed=3,
    )
    other.load_weights(learner.weights())
    cases = split.valid.cases
    np.testing.assert_array_equal(other.ranks(cases), learner.ranks(cases))


def test_numbers_that_are_not_finite_are_an_error(clicks: Interactions) -> None:
    """As learning that is far too fast makes them."""
    learner = _learner(clicks, clicks.starts[1:])
    learner.model.table.weight.fill_(1e30)
    with pytest.raises(TrainingError, match="lower the learning rate"):
        learner.learn_once()
