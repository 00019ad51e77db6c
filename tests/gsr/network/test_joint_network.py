"""The network of the joint model, on rows that were gathered for it."""

import pytest
import torch

from gsr.network.joint_network import ClickTensors, Hop, JointNetwork, fading_means
from gsr.network.model import as_clicks
from gsr.network.packing import VIEW_DECAY, pack
from tests.gsr.world import histories, small_config

ROWS, WIDTH = 6, 16
BUFFERS = [[(3, 10.0, 0), (1, 20.0, 1), (4, 50.0, 2)], [], [(5, 60.0, 1)]]


def network_of(**switches: object) -> JointNetwork:
    """Return a network whose every weight matters."""
    made = torch.Generator().manual_seed(4)
    network = JointNetwork(small_config(**switches), made)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=made))
    return network.eval()


def rows(seed: int = 0) -> torch.Tensor:
    """Return item vectors."""
    return torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def clicks() -> ClickTensors:
    """Return the clicks of three users, the second of whom has none."""
    packed = pack(histories(BUFFERS, [100.0] * 3), ROWS)
    return as_clicks(packed, packed.items)


def test_first_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    one = JointNetwork(small_config(), torch.Generator().manual_seed(2))
    torch.manual_seed(3)
    other = JointNetwork(small_config(), torch.Generator().manual_seed(2))
    for name, weight in one.named_parameters():
        assert torch.equal(weight, other.get_parameter(name)), name


@torch.no_grad()
def test_one_round_of_propagation_mixes_the_scales() -> None:
    """A place receives its neighbours' vectors, weighted by the learned mix of their shares."""
    network, sent = network_of(), rows()
    edges = torch.tensor([[1, 2, 3], [0, 0, 1]])
    shares = torch.tensor([[0.5, 0.1], [0.2, 0.2], [1.0, 0.0]])
    found = network.propagate(sent, [Hop(edges, shares, targets=2)])
    assert found is not None
    weights = network.mixes[0](shares)
    assert not torch.allclose(weights, shares.mean(dim=1))
    expected = torch.stack((weights[0] * sent[1] + weights[1] * sent[2], weights[2] * sent[3]))
    torch.testing.assert_close(found, expected)


@torch.no_grad()
def test_rounds_of_propagation_are_mixed() -> None:
    """The outer neighbourhood is what the inner one's senders receive."""
    network, sent = network_of(hops=2), rows()
    outer = Hop(torch.tensor([[2, 3], [0, 1]]), torch.ones(2, 2), targets=2)
    inner = Hop(torch.tensor([[1], [0]]), torch.ones(1, 2), targets=1)
    found = network.propagate(sent, [outer, inner])
    near, far = network.hop_weights.softmax(dim=0)
    torch.testing.assert_close(found, (near * sent[1] + far * sent[3])[None])


def test_without_the_graph_encoder_nothing_is_propagated() -> None:
    assert network_of(graph_encoder=False).propagate(rows(), []) is None


def test_a_user_without_clicks_has_the_zero_vector(clicks: ClickTensors) -> None:
    found = network_of().encode(rows(), rows(1), clicks)
    assert not found[1].any()
    assert found[0].any()


@pytest.mark.parametrize("switch", ["sequence_encoder", "graph_encoder"])
def test_a_view_may_be_switched_off(clicks: ClickTensors, switch: str) -> None:
    """The other one speaks for the user."""
    network = network_of(**{switch: False})
    propagated = None if switch == "graph_encoder" else rows(1)
    found = network.encode(rows(), propagated, clicks)
    assert found[0].any()


def test_the_graph_view_is_the_mean_of_what_the_clicked_items_received(
    clicks: ClickTensors,
) -> None:
    """Each step back counts less."""
    sent, network = rows(1), network_of(sequence_encoder=False)
    found = network.encode(rows(), sent, clicks)
    weights = torch.tensor([VIEW_DECAY**2, VIEW_DECAY, 1.0])
    views = torch.zeros(3, WIDTH)
    views[0] = (weights / weights.sum()) @ sent[[3, 1, 4]]
    views[2] = sent[5]
    expected = network.fusion.users(None, views, clicks.pauses)
    torch.testing.assert_close(found, expected * clicks.present)


def test_every_moment_is_encoded_as_the_newest(clicks: ClickTensors) -> None:
    """But for the pause since then: after its last click a user is what `encode` says."""
    network = network_of(time_gaps=False)
    every = network.encode_clicks(rows(), rows(1), clicks)
    newest = network.encode(rows(), rows(1), clicks)
    torch.testing.assert_close(every[clicks.last[[0, 2]]], newest[[0, 2]])


def test_means_fade_backwards() -> None:
    """After every click: older ones count less, and only the user's own."""
    packed = pack(histories(BUFFERS, [100.0] * 3), ROWS)
    tokens = as_clicks(packed, packed.items).tokens()
    sent = torch.tensor([[1.0], [2.0], [4.0], [8.0]])
    found = fading_means(sent, tokens)[:, 0]
    second = (2.0 + VIEW_DECAY) / (1.0 + VIEW_DECAY)
    third = (4.0 + 2.0 * VIEW_DECAY + VIEW_DECAY**2) / (1.0 + VIEW_DECAY + VIEW_DECAY**2)
    assert found.tolist() == pytest.approx([1.0, second, third, 8.0])


def test_an_ensembles_vectors_are_shared_out_evenly() -> None:
    shares = network_of(ensemble=2).shares(rows())
    assert [share.shape for share in shares] == [(ROWS, WIDTH // 2)] * 2
