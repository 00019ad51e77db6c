"""Learning in cycles."""

import dataclasses

import numpy as np
import pytest
import torch

from gsr.config import LearnerConfig
from gsr.errors import SnapshotError, TrainingError
from gsr.learning.learner import Learner
from gsr.learning.samples import Samples, join
from gsr.network.model import JointModel
from gsr.network.snapshot import from_snapshot, to_manifest, to_tensors
from tests.gsr.world import World, shoppers, small_config

ITEMS = 24
QUICK = LearnerConfig(
    neural_negatives=16, batch_size=50, learning_rate=0.01, embedding_rate=0.05, holdout=0.4
)


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World(users=40)


def samples_of(world: World, clicks: int, seed: int = 0) -> Samples:
    """Return what shoppers leave behind in the world."""
    return join(shoppers(world, clicks, np.random.default_rng(seed), small_config()))


def weights_of(model: JointModel) -> torch.Tensor:
    """Return all weights as one vector."""
    parts = [model.table.weight, *model.network.state_dict().values()]
    return torch.cat([part.flatten().float() for part in parts])


def test_loss_falls_on_shoppers_with_habits(world: World) -> None:
    """Two hundred clicks on, the ring that everybody walks along is known."""
    model = JointModel(small_config())
    learner = Learner(model, QUICK)
    losses = []
    for cycle in range(5):
        samples = samples_of(world, 200, cycle)
        losses.append(learner.learn(samples, world.graph()).loss)
        learner.judge(world.graph())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("encoder", ["sequence_encoder", "graph_encoder"])
def test_either_encoder_alone_is_learned(world: World, encoder: str) -> None:
    """The other one's weights do not exist, or stand still."""
    samples = samples_of(world, 100)
    learner = Learner(JointModel(small_config(**{encoder: False})), QUICK)
    report = learner.learn(samples, world.graph())
    own = "graph" if encoder == "sequence_encoder" else "sequence"
    assert set(report.terms) == {"fused", "user", own}


@pytest.mark.parametrize("term", ["user", "graph", "sequence", "contrastive"])
def test_each_term_has_a_switch(world: World, term: str) -> None:
    """A weight of zero leaves the term out, and changes what is learned."""
    samples = samples_of(world, 100)
    without = dataclasses.replace(QUICK, **{f"{term}_loss": 0.0})  # type: ignore[arg-type]  # mixed
    found = []
    for config in (QUICK, without):
        learner = Learner(JointModel(small_config()), config)
        terms = learner.learn(samples, world.graph()).terms
        assert (term in terms) == (config is QUICK)
        found.append(weights_of(learner.model))
    assert not torch.equal(*found)


def test_distillation_has_a_switch(world: World) -> None:
    """It needs something to replay, and a weight."""
    first, second = samples_of(world, 100), samples_of(world, 100, 1)
    for loss in (0.5, 0.0):
        config = dataclasses.replace(QUICK, distillation_loss=loss)
        learner = Learner(JointModel(small_config()), config)
        assert "distillation" not in learner.learn(first, world.graph()).terms
        learner.judge(world.graph())
        assert ("distillation" in learner.learn(second, world.graph()).terms) == (loss > 0.0)


def test_equal_seeds_learn_equally(world: World) -> None:
    """Two learners on the same samples end with the same bits, dropout and replay included."""
    parts = [samples_of(world, 100, seed) for seed in range(2)]
    found = []
    for noise in range(2):
        torch.manual_seed(noise)
        learner = Learner(JointModel(small_config(dropout=0.3)), QUICK)
        for samples in parts:
            learner.learn(samples, world.graph())
            learner.judge(world.graph())
        found.append(weights_of(learner.model))
    assert torch.equal(*found)


def test_the_judge_drops_weights_that_are_worse(world: World) -> None:
    """Weights spoilt after learning are taken back, optimiser state too."""
    learner = Learner(JointModel(small_config()), QUICK)
    for seed in range(3):
        learner.learn(samples_of(world, 200, seed), world.graph())
        assert learner.judge(world.graph()).promoted
    good = weights_of(learner.model)
    learner.learn(samples_of(world, 200, 9), world.graph())
    assert not torch.equal(weights_of(learner.model), good)
    with torch.no_grad():
        for parameter in learner.model.network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=learner.model.generator))
    verdict = learner.judge(world.graph())
    assert not verdict.promoted
    assert verdict.z > QUICK.worse_z
    assert verdict.after > verdict.before
    assert torch.equal(weights_of(learner.model), good)


def test_held_back_samples_are_learned_a_cycle_later(world: World) -> None:
    """Nobody's clicks are lost to the judge."""
    learner = Learner(JointModel(small_config()), QUICK)
    first, second = samples_of(world, 200), samples_of(world, 200, 1)
    one = learner.learn(first, world.graph())
    held = learner.judge(world.graph()).samples
    assert 0 < held < len(first)
    assert one.fresh == len(first) - held
    two = learner.learn(second, world.graph())
    assert two.fresh == len(second) - learner.judge(world.graph()).samples + held


def test_replay_is_shed_when_time_runs_out(world: World) -> None:
    """Fresh samples are learned all the same; what was shed is counted."""
    learner = Learner(JointModel(small_config()), QUICK)
    first, second = samples_of(world, 200), samples_of(world, 200, 1)
    learner.learn(first, world.graph())
    learner.judge(world.graph())
    asked = []

    def out_of_time() -> bool:
        asked.append(True)
        return len(asked) > 1

    report = learner.learn(second, world.graph(), out_of_time=out_of_time)
    assert report.replayed > 0
    assert report.shed > 0
    assert report.fresh > report.replayed


def test_effort_multiplies_replay(world: World) -> None:
    """Drift asks for more of it, calm for less."""
    learner = Learner(JointModel(small_config()), QUICK)
    learner.learn(samples_of(world, 800), world.graph())
    learner.judge(world.graph())
    report = learner.learn(samples_of(world, 10, 1), world.graph(), effort=0.5)
    assert report.replayed == pytest.approx(0.5 * report.fresh, abs=2)


def test_numbers_that_are_not_finite_are_refused(world: World) -> None:
    """The weights are those from before, and the next samples are learned."""
    learner = Learner(JointModel(small_config()), QUICK)
    good = samples_of(world, 100)
    learner.learn(good, world.graph())
    learner.judge(world.graph())
    before = weights_of(learner.model)
    poison = dataclasses.replace(good, features=np.full_like(good.features, np.inf))
    with pytest.raises(TrainingError, match="the loss became"):
        learner.learn(poison, world.graph())
    assert torch.equal(weights_of(learner.model), before)
    assert np.isfinite(learner.learn(good, world.graph()).loss)


def test_renewed_items_leave_the_reservoir(world: World) -> None:
    """No replayed sample reads or follows an item that is no longer there."""
    learner = Learner(JointModel(small_config()), QUICK)
    learner.learn(samples_of(world, 200), world.graph())
    learner.judge(world.graph())
    learner.renew(np.array([3]), world.graph())
    left = learner.reservoir.draw(10_000, np.random.default_rng(0))
    assert left is not None
    assert len(left) > 0
    assert not (left.candidates == 3).any()
    assert not (left.histories.items == 3).any()


def test_a_restart_continues_exactly(world: World) -> None:
    """Model snapshot plus learner state learn on as if nothing had happened."""
    learner = Learner(JointModel(small_config(dropout=0.2)), QUICK)
    learner.learn(samples_of(world, 200), world.graph())
    learner.judge(world.graph())
    tensors, document = learner.state()
    model = from_snapshot(to_tensors(learner.model), to_manifest(learner.model))
    again = Learner(model, QUICK)
    again.restore(tensors, document)
    more, graph = samples_of(world, 200, 1), world.graph()
    assert learner.learn(more, graph) == again.learn(more, graph)
    assert learner.judge(graph) == again.judge(graph)
    assert torch.equal(weights_of(learner.model), weights_of(again.model))


def test_state_of_another_model_or_format_is_refused(world: World) -> None:
    """The operator learns why."""
    learner = Learner(JointModel(small_config()), QUICK)
    learner.learn(samples_of(world, 100), world.graph())
    learner.judge(world.graph())
    tensors, document = learner.state()
    other = Learner(JointModel(small_config(dimension=8)), QUICK)
    with pytest.raises(SnapshotError, match="another model"):
        other.restore(tensors, document)
    with pytest.raises(SnapshotError, match="format 0"):
        learner.restore(tensors, document | {"format": 0})


def test_nothing_to_learn_is_no_error(world: World) -> None:
    """An empty cycle is promoted as it is."""
    learner = Learner(JointModel(small_config()), QUICK)
    empty = samples_of(world, 50).rows(np.empty(0, np.int64))
    report = learner.learn(empty, world.graph())
    assert (report.fresh, report.steps) == (0, 0)
    assert learner.judge(world.graph()).promoted
