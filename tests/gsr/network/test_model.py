"""The encoders: what may and what may not change a user's vector."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.model import JointModel, as_clicks
from gsr.network.neighbour_sampler import NeighbourSampler
from gsr.network.packing import pack
from tests.gsr.world import World, histories, shoppers, small_config

NOW = 40_000.0
BUFFERS = [
    [(3, 100.0, 0), (4, 160.0, 0), (9, 900.0, 2), (5, 1000.0, 0)],
    [(7, 50.0, 0)],
    [],
    [(item, 60.0 * item, 0) for item in range(12)],
    [(2, 10.0, 1), (1, 20.0, 0)],
]


@pytest.fixture
def world() -> World:
    """Return a world that two hundred clicks went through."""
    world = World()
    shoppers(world, 200, np.random.default_rng(0))
    return world


def model_of(world: World, config: ModelConfig | None = None, spread: float = 0.5) -> JointModel:
    """Return a model whose random item rows are large enough to matter."""
    model = JointModel(config or small_config(), seed=5)
    model.grow(world.graph())
    rows = torch.arange(model.items)
    noise = torch.randn(model.items, model.config.dimension, generator=model.generator)
    model.table.seed(rows, spread * noise)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=model.generator))
    return model


def encoded(model: JointModel, world: World, users: Histories) -> npt.NDArray[np.float32]:
    """Return the vectors of users."""
    return model.user_vectors(users, model.encode_items(world.graph()))


def of(buffers: list[list[tuple[int, float, int]]], width: int = 16) -> Histories:
    """Return the buffers as histories asked for at NOW."""
    return histories(buffers, [NOW] * len(buffers), width)


@pytest.mark.parametrize(("blocks", "ensemble"), [(1, 1), (2, 1), (2, 2)])
def test_the_future_changes_no_past_state(world: World, blocks: int, ensemble: int) -> None:
    """The state after click t is the same whatever is clicked afterwards."""
    model = model_of(world, small_config(blocks=blocks, ensemble=ensemble))
    fused = torch.from_numpy(model.encode_items(world.graph()).fused)
    assert model.network.sequence is not None

    def states(buffer: list[tuple[int, float, int]]) -> torch.Tensor:
        packed = pack(of([buffer]), model.items)
        clicks = as_clicks(packed, packed.items)
        vectors = fused[clicks.places]
        assert model.network.sequence is not None
        found: torch.Tensor = model.network.sequence.states(
            vectors, clicks.gaps, clicks.events, clicks.tokens()
        )
        return found

    with torch.no_grad():
        one, other = states(BUFFERS[0]), states([*BUFFERS[0][:2], (20, 300.0, 1), (21, 9e3, 0)])
        short = states(BUFFERS[0][:2])
    assert torch.allclose(one[:2], other[:2], atol=1e-6)
    assert torch.allclose(one[:2], short, atol=1e-6)
    assert not torch.allclose(one[2:], other[2:], atol=1e-3)


@pytest.mark.parametrize(("blocks", "ensemble"), [(1, 1), (2, 1), (2, 2)])
def test_the_newest_state_is_the_last_of_all_states(
    world: World, blocks: int, ensemble: int
) -> None:
    """Computing only what is needed changes nothing."""
    model = model_of(world, small_config(blocks=blocks, ensemble=ensemble))
    packed = pack(of(BUFFERS).recent(8, model.config.event_weights), model.items)
    clicks = as_clicks(packed, packed.items)
    vectors = torch.from_numpy(model.encode_items(world.graph()).fused)[clicks.places]
    assert model.network.sequence is not None
    with torch.no_grad():
        arguments = (vectors, clicks.gaps, clicks.events, clicks.tokens())
        last = model.network.sequence(*arguments)
        states = model.network.sequence.states(*arguments)[clicks.last]
    present = clicks.present[:, 0] > 0
    assert torch.allclose(last[present], states[present], atol=1e-5)


def test_padding_changes_nothing(world: World) -> None:
    """Wider arrays and longer neighbours in the batch leave a user's vector as it is."""
    model = model_of(world)
    together = encoded(model, world, of(BUFFERS, width=30))
    for user, buffer in enumerate(BUFFERS):
        alone = encoded(model, world, of([buffer], width=12))
        assert together[user] == pytest.approx(alone[0], abs=1e-5)


def test_batch_order_changes_nothing(world: World) -> None:
    """Users may come in any order."""
    model = model_of(world)
    order = np.array([3, 0, 4, 2, 1])
    straight = encoded(model, world, of(BUFFERS))
    shuffled = encoded(model, world, of(BUFFERS).rows(order))
    assert shuffled == pytest.approx(straight[order], abs=1e-5)


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_sampled_propagation_equals_the_full_one(world: World, hops: int) -> None:
    """With room for all neighbours, encoding a few rows gives what encoding all gives."""
    model, graph = model_of(world, small_config(hops=hops)), world.graph()
    full = model.encode_items(graph)
    rows = np.array([5, 0, 17])
    with torch.no_grad():
        gathered = model.gather(rows, graph)
        fused, propagated = model.fuse(gathered, model.table.weight[gathered.rows])
    assert propagated is not None
    assert full.propagated is not None
    assert fused.numpy() == pytest.approx(full.fused[rows], abs=1e-5)
    assert propagated.numpy() == pytest.approx(full.propagated[rows], abs=1e-5)


def test_clicks_that_only_hide_are_not_read(world: World) -> None:
    """Events without positive weight change nothing."""
    model = model_of(world)
    hidden = [[*BUFFERS[0][:2], (8, 170.0, 4), (6, 180.0, 5), *BUFFERS[0][2:]]]
    plain, other = (encoded(model, world, of(buffers)) for buffers in (BUFFERS[:1], hidden))
    assert plain == pytest.approx(other, abs=1e-6)


def test_a_user_without_clicks_has_the_zero_vector(world: World) -> None:
    found = encoded(model_of(world), world, of([[(7, 50.0, 0)], []]))
    assert found[0].any()
    assert not found[1].any()


def test_items_that_the_table_lacks_are_skipped(world: World) -> None:
    """A buffer may name a row that came after the model."""
    model = model_of(world)
    newer = [[(60, 90.0, 0), *BUFFERS[0]]]
    plain, other = (encoded(model, world, of(buffers)) for buffers in (BUFFERS[:1], newer))
    assert plain == pytest.approx(other, abs=1e-6)


def test_a_new_item_starts_near_its_neighbours(world: World) -> None:
    """Growth seeds a row at the weighted mean of the rows that it leads to; old rows stay."""
    model = model_of(world)
    before = model.table.weight.clone()
    world.known += 2
    world.edge(24, 3, 3.0, NOW)
    world.edge(24, 4, 1.0, NOW)
    assert model.grow(world.graph()) == 2
    assert torch.equal(model.table.weight[:24], before)
    mean = 0.75 * before[3] + 0.25 * before[4]
    assert model.table.weight[24].numpy() == pytest.approx(mean.numpy(), abs=0.15)
    assert float(model.table.weight[25].abs().max()) < 0.15
    assert model.grow(world.graph()) == 0


def test_renewed_rows_change_generation(world: World) -> None:
    """A reused row forgets the item that it stood for."""
    model = model_of(world)
    before = model.table.weight.clone()
    model.renew(np.array([3, 3, 99]), world.graph())
    assert model.table.generations.nonzero()[:, 0].tolist() == [3]
    changed = (model.table.weight != before).any(dim=1).nonzero()[:, 0]
    assert changed.tolist() == [3]


@pytest.mark.parametrize("switch", ["sequence_encoder", "graph_encoder"])
def test_each_encoder_can_be_switched_off(world: World, switch: str) -> None:
    """Either view alone still tells users apart."""
    model = model_of(world, small_config(**{switch: False}))
    items = model.encode_items(world.graph())
    vectors = model.user_vectors(of(BUFFERS), items)
    assert not np.allclose(vectors[0], vectors[1])
    assert (items.propagated is None) == (switch == "graph_encoder")


def test_without_encoders_there_are_no_vectors(world: World) -> None:
    model = model_of(world, small_config(sequence_encoder=False, graph_encoder=False))
    assert not encoded(model, world, of(BUFFERS)).any()


def test_pauses_can_be_switched_off(world: World) -> None:
    """Then times change nothing."""
    slower = [[(item, 3.0 * time, event) for item, time, event in BUFFERS[0]]]
    for time_gaps in (True, False):
        model = model_of(world, small_config(time_gaps=time_gaps, graph_encoder=False))
        one, other = (encoded(model, world, of(buffers)) for buffers in (BUFFERS[:1], slower))
        assert np.allclose(one, other, atol=1e-6) != time_gaps


def test_the_cost_of_a_neighbourhood_does_not_grow_with_the_catalogue() -> None:
    """The same rows of the same edges give the same block in a larger world."""

    def block(items: int) -> tuple[list[int], list[int]]:
        world = World(items=items)
        world.edge(0, 1, 1.0, NOW)
        world.edge(1, 2, 1.0, NOW)
        graph: ItemGraph = world.graph()
        found = NeighbourSampler(8).sample(graph, np.array([0, 1]), NOW, items)
        return found.rows.tolist(), found.sources.tolist()

    assert block(4) == block(60)


def test_equal_seeds_give_equal_models(world: World) -> None:
    """First weights come from the model's own generator, not from the global one."""
    torch.manual_seed(1)
    one = model_of(world)
    torch.manual_seed(2)
    other = model_of(world)
    graph = world.graph()
    assert np.array_equal(one.encode_items(graph).fused, other.encode_items(graph).fused)
    vectors = [encoded(model, world, of(BUFFERS)) for model in (one, other)]
    assert np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize(("dimension", "ensemble"), [(17, 1), (20, 4), (16, 0), (16, -2)])
def test_a_dimension_is_shared_out_evenly(dimension: int, ensemble: int) -> None:
    """The message says what it must be a multiple of."""
    with pytest.raises(ValueError, match=f"dimension is {dimension}: give a multiple"):
        ModelConfig(dimension=dimension, ensemble=ensemble, heads=2)
