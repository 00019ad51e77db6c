"""The joint model: what may and what may not change a score."""

import math

import numpy as np
import pytest
import torch

from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.network.model import JointModel, as_clicks
from gsr.network.neighbour_sampler import NeighbourSampler
from gsr.network.packing import pack
from gsr.votes.channels import channel_names
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
    shoppers(world, 200, np.random.default_rng(0), small_config())
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
        clicks = as_clicks(packed, packed.items, np.zeros((1, 10), np.float32))
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
    clicks = as_clicks(packed, packed.items, np.zeros((5, 10), np.float32))
    vectors = torch.from_numpy(model.encode_items(world.graph()).fused)[clicks.places]
    assert model.network.sequence is not None
    with torch.no_grad():
        arguments = (vectors, clicks.gaps, clicks.events, clicks.tokens())
        last = model.network.sequence(*arguments)
        states = model.network.sequence.states(*arguments)[clicks.last]
    present = clicks.present[:, 0] > 0
    assert torch.allclose(last[present], states[present], atol=1e-5)


def test_padding_changes_nothing(world: World) -> None:
    """Wider arrays and longer neighbours in the batch leave a user's query as it is."""
    model, graph = model_of(world), world.graph()
    together = model.user_queries(of(BUFFERS, width=30), graph)
    for user, buffer in enumerate(BUFFERS):
        alone = model.user_queries(of([buffer], width=12), graph)
        assert together.vectors[user] == pytest.approx(alone.vectors[0], abs=1e-5)
        assert together.channel_weights[user] == pytest.approx(alone.channel_weights[0], abs=1e-5)


def test_batch_order_changes_nothing(world: World) -> None:
    """Users may come in any order."""
    model, graph = model_of(world), world.graph()
    order = np.array([3, 0, 4, 2, 1])
    straight = model.user_queries(of(BUFFERS), graph)
    shuffled = model.user_queries(of(BUFFERS).rows(order), graph)
    assert shuffled.vectors == pytest.approx(straight.vectors[order], abs=1e-5)
    assert shuffled.channel_weights == pytest.approx(straight.channel_weights[order], abs=1e-5)


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


def test_items_encoded_before_give_the_same_queries(world: World) -> None:
    """`user_queries` with `items` and `context` equals computing both."""
    model, graph = model_of(world), world.graph()
    read = of(BUFFERS).recent(8, model.config.event_weights)
    given = model.user_queries(
        of(BUFFERS), graph, items=model.encode_items(graph), context=model.context(read, graph)
    )
    found = model.user_queries(of(BUFFERS), graph)
    assert given.vectors == pytest.approx(found.vectors, abs=1e-5)
    assert given.channel_weights == pytest.approx(found.channel_weights, abs=1e-5)


def test_clicks_that_only_hide_are_not_read(world: World) -> None:
    """Events without positive weight change nothing."""
    model, graph = model_of(world), world.graph()
    hidden = [[*BUFFERS[0][:2], (8, 170.0, 4), (6, 180.0, 5), *BUFFERS[0][2:]]]
    plain, other = model.user_queries(of(BUFFERS[:1]), graph), model.user_queries(of(hidden), graph)
    assert plain.vectors == pytest.approx(other.vectors, abs=1e-6)


def test_a_user_is_served_after_one_click_and_before(world: World) -> None:
    """One click gives a vector; none gives only positive popularity weights at the start."""
    model = JointModel(small_config())
    model.grow(world.graph())
    queries = model.user_queries(of([[(7, 50.0, 0)], []]), world.graph())
    assert queries.vectors[0].any()
    assert not queries.vectors[1].any()
    assert (queries.channel_weights[:, :6] > 0.0).all()


def test_items_that_the_table_lacks_are_skipped(world: World) -> None:
    """A buffer may name a row that came after the model."""
    model, graph = model_of(world), world.graph()
    newer = [[(60, 90.0, 0), *BUFFERS[0]]]
    context = np.zeros((1, 10), np.float32)
    plain = model.user_queries(of(BUFFERS[:1]), graph, context=context)
    other = model.user_queries(of(newer), graph, context=context)
    assert plain.vectors == pytest.approx(other.vectors, abs=1e-6)


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
    queries = model.user_queries(of(BUFFERS), world.graph())
    assert not np.allclose(queries.vectors[0], queries.vectors[1])
    encoded = model.encode_items(world.graph())
    assert (encoded.propagated is None) == (switch == "graph_encoder")


def test_without_encoders_only_channels_are_left(world: World) -> None:
    """No view, no vector."""
    model = model_of(world, small_config(sequence_encoder=False, graph_encoder=False))
    queries = model.user_queries(of(BUFFERS), world.graph())
    assert not queries.vectors.any()
    assert queries.channel_weights.any()


def test_each_kind_of_channel_can_be_switched_off(world: World) -> None:
    """Its weights are zero."""
    graph = world.graph()
    no_graph = model_of(world, small_config(graph_channels=False))
    assert not no_graph.user_queries(of(BUFFERS), graph).channel_weights[:, 2:].any()
    none = model_of(world, small_config(popularity_channels=False, graph_channels=False))
    assert not none.user_queries(of(BUFFERS), graph).channel_weights.any()


def test_constant_channel_weights_ignore_the_context(world: World) -> None:
    """Switched off, every user gets the same weights."""
    model = model_of(world, small_config(context_weights=False))
    weights = model.user_queries(of(BUFFERS), world.graph()).channel_weights
    assert (weights == weights[0]).all()


def test_pauses_can_be_switched_off(world: World) -> None:
    """Then times change nothing but the context."""
    slower = [[(item, 3.0 * time, event) for item, time, event in BUFFERS[0]]]
    for time_gaps in (True, False):
        config = small_config(time_gaps=time_gaps, graph_encoder=False)
        model = model_of(world, config)
        context = np.zeros((1, 10), np.float32)
        one = model.user_queries(of(BUFFERS[:1]), world.graph(), context=context)
        other = model.user_queries(of(slower), world.graph(), context=context)
        assert np.allclose(one.vectors, other.vectors, atol=1e-6) != time_gaps


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
    queries = one.user_queries(of(BUFFERS), graph), other.user_queries(of(BUFFERS), graph)
    assert np.array_equal(queries[0].vectors, queries[1].vectors)


def test_the_boost_of_new_items_is_in_every_query_and_nowhere_else(world: World) -> None:
    """A hit on a new item worth w others adds ln w to its score."""
    graph, new = world.graph(), channel_names(2).index("new")
    plain = JointModel(small_config(new_item_boost=1.0), 0)
    boosted = JointModel(small_config(new_item_boost=5.0), 0)
    for model in (plain, boosted):
        model.grow(graph)
    difference = (
        boosted.user_queries(of(BUFFERS), graph).channel_weights
        - plain.user_queries(of(BUFFERS), graph).channel_weights
    )
    assert difference[:, new] == pytest.approx(math.log(5.0))
    assert not np.delete(difference, new, axis=1).any()


@pytest.mark.parametrize("boost", [0.0, -1.0, math.inf, math.nan])
def test_a_boost_is_above_zero(boost: float) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match="new_item_boost"):
        ModelConfig(new_item_boost=boost)


@pytest.mark.parametrize(("dimension", "ensemble"), [(17, 1), (20, 4), (16, 0), (16, -2)])
def test_a_dimension_is_shared_out_evenly(dimension: int, ensemble: int) -> None:
    """The message says what it must be a multiple of."""
    with pytest.raises(ValueError, match=f"dimension is {dimension}: give a multiple"):
        ModelConfig(dimension=dimension, ensemble=ensemble, heads=2)
