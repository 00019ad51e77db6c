"""Loss and learning step on a batch of recorded samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsr.config import LearnerConfig
from gsr.errors import SnapshotError, TrainingError
from gsr.learning.encoded_batch import Batch, own_edges
from gsr.learning.optimisation import Optimisation
from gsr.learning.samples import Samples, join
from gsr.network.model import JointModel
from gsr.network.packing import pack
from gsr.votes.negatives import NO_NEGATIVES, draw_negatives
from tests.gsr.world import World, shoppers, small_config

ITEMS = 24
QUICK = LearnerConfig(learning_rate=0.01, embedding_rate=0.05)


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World(users=40)


def samples_of(world: World, clicks: int, seed: int = 0) -> Samples:
    """Return what shoppers leave behind in the world."""
    return join(shoppers(world, clicks, np.random.default_rng(seed), small_config()))


def batch_of(world: World, samples: Samples) -> Batch:
    """Return a batch of fresh samples with a few negatives."""
    rng, graph = np.random.default_rng(7), world.graph()
    alive = np.arange(graph.items) < ITEMS
    negatives = draw_negatives(np.ones(graph.items), alive, 8, 0.5, rng)
    return Batch(samples, None, negatives)


def optimisation_of(world: World, config: LearnerConfig = QUICK, **shape: object) -> Optimisation:
    """Return what learns a model of the world's items."""
    model = JointModel(small_config(**shape))
    model.grow(world.graph())
    return Optimisation(model, config)


def weights_of(model: JointModel) -> torch.Tensor:
    """Return all weights as one vector."""
    parts = [model.table.weight, *model.network.state_dict().values()]
    return torch.cat([part.flatten().float() for part in parts])


@pytest.mark.parametrize("ensemble", [1, 2])
def test_gradients_reach_every_weight(world: World, ensemble: int) -> None:
    """Both encoders, the fusion, the channel weights and the item rows are learned end to end."""
    samples = samples_of(world, 200)
    samples = samples.rows(np.arange(0, len(samples), 3))  # the others' edges are left to read
    model = JointModel(small_config(hops=2, ensemble=ensemble))
    model.grow(world.graph())
    optimisation = Optimisation(model, QUICK)
    before = {name: value.clone() for name, value in model.network.named_parameters()}
    table = model.table.weight.clone()
    for _ in range(2):  # the last channel layer starts at zero, so what feeds it waits one step
        optimisation.step(batch_of(world, samples), world.graph())
    still = {n for n, value in model.network.named_parameters() if torch.equal(value, before[n])}
    assert not still
    assert (model.table.weight != table).any(dim=1).all()


def test_a_step_writes_only_rows_that_it_reads(world: World) -> None:
    """A catalogue forty times as large changes neither the rows written nor their number."""
    samples = samples_of(world, 60).rows(np.arange(20))
    touched = []
    for items in (24, 64):
        world.known = items
        model = JointModel(small_config())
        model.grow(world.graph())
        before = model.table.weight.clone()
        batch = batch_of(world, samples)
        touched.append(Optimisation(model, QUICK).step(batch, world.graph()).rows)
        changed = (model.table.weight != before).any(dim=1)
        assert int(changed.sum()) <= touched[-1]
        assert not changed[24:].any()
    assert touched[0] == touched[1]


def test_the_batch_order_of_samples_changes_nothing(world: World) -> None:
    """One step gives the same weights for any order of its batch."""
    samples = samples_of(world, 60)
    order = np.random.default_rng(2).permutation(len(samples))
    found = []
    for batch in (samples, samples.rows(order)):
        model = JointModel(small_config())
        model.grow(world.graph())
        Optimisation(model, QUICK).step(batch_of(world, batch), world.graph())
        found.append(weights_of(model))
    assert torch.allclose(found[0], found[1], atol=2e-3)


def test_steps_on_one_batch_lower_its_likelihood(world: World) -> None:
    """Which is what they minimise, over the recorded candidates."""
    samples, graph = samples_of(world, 60), world.graph()
    optimisation = optimisation_of(world)
    before = optimisation.likelihood(samples, graph)
    for _ in range(10):
        optimisation.step(batch_of(world, samples), graph)
    assert before.shape == (len(samples),)
    assert optimisation.likelihood(samples, graph).mean() < before.mean()


def test_without_negatives_the_encoders_have_no_terms(world: World) -> None:
    """The joint score and the contrast of the views are left."""
    samples = samples_of(world, 40)
    found = optimisation_of(world).step(Batch(samples, None, NO_NEGATIVES), world.graph())
    assert set(found.terms) == {"fused", "contrastive"}
    assert found.losses.shape == (len(samples),)


def test_replayed_samples_teach_the_encoders_and_heed_the_teacher(world: World) -> None:
    """They have no candidates, so the joint loss is of the fresh ones alone."""
    samples, graph = samples_of(world, 60), world.graph()
    fresh = samples.rows(np.arange(10))
    replayed = samples.rows(np.arange(10, 30)).without_candidates()
    batch = replace(batch_of(world, fresh), replayed=replayed)
    optimisation = optimisation_of(world)
    teacher = optimisation.teach(batch, graph)
    assert teacher is not None
    assert teacher.shape == (20, len(batch.negatives.rows))
    found = optimisation.step(batch, graph, teacher)
    assert found.losses.shape == (10,)
    assert found.terms["distillation"] == pytest.approx(0.0, abs=1e-5)


def test_a_rollback_takes_steps_back(world: World) -> None:
    """Weights and moments alike: what follows is what would have followed."""
    samples, graph = samples_of(world, 60), world.graph()
    optimisation = optimisation_of(world)
    optimisation.step(batch_of(world, samples), graph)
    optimisation.optimiser.begin()
    weights, tensors = weights_of(optimisation.model), optimisation.tensors()
    for _ in range(2):
        optimisation.step(batch_of(world, samples), graph)
    optimisation.optimiser.rollback()
    assert torch.equal(weights_of(optimisation.model), weights)
    found = optimisation.tensors()
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) for name, value in tensors.items())


def test_a_loss_that_is_not_finite_changes_nothing(world: World) -> None:
    samples = samples_of(world, 40)
    optimisation = optimisation_of(world)
    before = weights_of(optimisation.model)
    poison = replace(samples, features=np.full_like(samples.features, np.inf))
    with pytest.raises(TrainingError, match="the loss became"):
        optimisation.step(batch_of(world, poison), world.graph())
    assert torch.equal(weights_of(optimisation.model), before)


def test_moments_are_kept_under_names_that_journals_know(world: World) -> None:
    """`adam.`, a parameter's name and the moment; `table.` and what rows remember."""
    optimisation = optimisation_of(world)
    optimisation.step(batch_of(world, samples_of(world, 40)), world.graph())
    found = optimisation.tensors()
    assert {name for name in found if name.startswith("table.")} == {
        *("table.first_moment", "table.second_moment", "table.steps"),
        *("table.usual_square", "table.steps_taken"),
    }
    assert found["table.first_moment"].shape == (ITEMS, 16)
    assert found["table.second_moment"].shape == found["table.steps"].shape == (ITEMS,)
    assert "adam.fusion.gate.weight.exp_avg" in found
    assert all(name.startswith(("adam.", "table.")) for name in found)


def test_moments_of_another_model_are_refused(world: World) -> None:
    """By the name of the first weight that has another shape."""
    samples = samples_of(world, 40)
    wide = optimisation_of(world, dimension=32)
    wide.step(batch_of(world, samples), world.graph())
    with pytest.raises(SnapshotError, match="another model"):
        optimisation_of(world).load(wide.tensors())


def test_own_edges_are_those_that_the_clicks_added(world: World) -> None:
    """Ordered by source; with the clicks of the histories also theirs to each other."""
    samples = samples_of(world, 60).rows(np.arange(5, 25))
    own = own_edges(samples)
    real = samples.edge_sources >= 0
    assert (np.diff(own.sources) >= 0).all()
    assert sorted(own.sources) == sorted(samples.edge_sources[real])
    assert own.amounts.sum() == pytest.approx(samples.edge_amounts[real].sum())
    packed = pack(samples.histories, ITEMS)
    more = own_edges(samples, packed)
    inner = (packed.column >= 1).sum() + (packed.column >= 2).sum()
    assert len(more.sources) == len(own.sources) + inner
