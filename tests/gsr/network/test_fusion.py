"""Fusion of both views, and the weights of the score's parts."""

import pytest
import torch

from gsr.network.fusion import GRAPH_PRIOR, NEURAL_PRIOR, POPULARITY_PRIOR, ContextTrust, Fusion
from gsr.network.sequence_encoder import Dropout
from gsr.votes.channels import channel_count, context_count

WIDTH, SCALES, USERS = 4, 2, 3


def fusion_of(score_scale: float = 0.0, ensemble: int = 1) -> Fusion:
    """Return a fusion with weights of its own."""
    made = torch.Generator().manual_seed(2)
    fusion = Fusion(WIDTH, SCALES, True, Dropout(0.0, made), score_scale, ensemble)
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=made))
    return fusion.eval()


def trust_of(**switches: bool) -> ContextTrust:
    """Return an unlearned trust: its last layer starts at zero, as in the network."""
    kept = {"popularity": True, "graph": True, "context": True, "sees_user": True} | switches
    trust = ContextTrust(WIDTH, SCALES, 8, **kept)
    if trust.out is not None:
        torch.nn.init.zeros_(trust.out.weight)
        torch.nn.init.zeros_(trust.out.bias)
    return trust


@pytest.fixture
def users() -> dict[str, torch.Tensor]:
    """Return states and graph views of three users, their context and pauses."""
    made = torch.Generator().manual_seed(1)
    return {
        "states": torch.randn(USERS, WIDTH, generator=made),
        "views": torch.randn(USERS, WIDTH, generator=made),
        "context": torch.randn(USERS, context_count(SCALES), generator=made),
        "pauses": torch.tensor([0.0, 10.0, 1e6]),
    }


def test_items_are_their_embedding_plus_a_share_of_what_neighbours_sent() -> None:
    """The gate opens column by column; where nothing was propagated the embedding is all."""
    fusion, embeddings, sent = fusion_of(), torch.ones(2, WIDTH), torch.full((2, WIDTH), 2.0)
    expected = 1.0 + 2.0 * fusion.item_gate.sigmoid().expand(2, WIDTH)
    torch.testing.assert_close(fusion.items(embeddings, sent), expected)
    assert torch.equal(fusion.items(embeddings, None), embeddings)


def test_a_single_view_speaks_for_the_user(users: dict[str, torch.Tensor]) -> None:
    """The sequence's state as it is but for the pause; the graph's view through one layer."""
    fusion, context, pauses = fusion_of(), users["context"], users["pauses"]
    moved = fusion.users(users["states"], None, context, pauses) - users["states"]
    assert fusion.pauses is not None
    torch.testing.assert_close(moved[0], fusion.pauses[0])
    assert not torch.allclose(moved[1], moved[2])
    graph = fusion.users(None, users["views"], context, pauses)
    torch.testing.assert_close(graph, fusion.from_graph(users["views"]))


def test_both_views_are_mixed_number_by_number(users: dict[str, torch.Tensor]) -> None:
    """Every number lies between what either view says."""
    fusion = fusion_of()
    fusion.pauses = None
    joined = fusion.users(**users)
    ends = torch.stack((fusion.from_sequence(users["states"]), fusion.from_graph(users["views"])))
    assert (joined >= ends.amin(dim=0)).all()
    assert (joined <= ends.amax(dim=0)).all()


@pytest.mark.parametrize("ensemble", [1, 2])
def test_with_a_score_scale_scores_are_cosines(
    users: dict[str, torch.Tensor], ensemble: int
) -> None:
    """Each encoder's share of an item has length 1, of a user the scale."""
    fusion = fusion_of(score_scale=10.0, ensemble=ensemble)
    items = fusion.items(users["states"], None).view(USERS, ensemble, -1)
    torch.testing.assert_close(items.norm(dim=2), torch.ones(USERS, ensemble))
    vectors = fusion.users(**users).view(USERS, ensemble, -1)
    torch.testing.assert_close(vectors.norm(dim=2), torch.full((USERS, ensemble), 10.0))


def test_trust_begins_with_weights_that_already_rank(users: dict[str, torch.Tensor]) -> None:
    """A stream is served from the first click on: mostly by the graph's votes."""
    found = trust_of()(users["context"], users["states"])
    assert found.gains.tolist() == [[pytest.approx(NEURAL_PRIOR)]] * USERS
    popular, graph = POPULARITY_PRIOR / SCALES, GRAPH_PRIOR / SCALES
    rest = channel_count(SCALES) - 3 * SCALES
    expected = [popular] * SCALES + [graph] * (2 * SCALES) + [0.0] * rest
    assert found.channels[0].tolist() == pytest.approx(expected)


def test_trust_can_believe_the_vectors_at_first(users: dict[str, torch.Tensor]) -> None:
    """Then their scores count in full, and popularity, which they hold already, not at all."""
    trust = trust_of()
    trust.believe_vectors()
    found = trust(users["context"], users["states"])
    torch.testing.assert_close(found.gains, torch.ones(USERS, 1))
    assert found.channels[:, :SCALES].abs().max() < 1e-6


@pytest.mark.parametrize(
    ("switch", "off"),
    [("popularity", slice(0, SCALES)), ("graph", slice(SCALES, channel_count(SCALES)))],
)
def test_a_channel_that_is_switched_off_has_no_weight(
    users: dict[str, torch.Tensor], switch: str, off: slice
) -> None:
    """Whatever is learned of it."""
    trust = trust_of(**{switch: False})
    with torch.no_grad():
        trust.constant.fill_(1.0)
    channels = trust(users["context"], users["states"]).channels
    assert not channels[:, off].any()
    assert channels.any()


@pytest.mark.parametrize("sees_user", [True, False])
def test_trust_depends_on_what_it_may_see(users: dict[str, torch.Tensor], sees_user: bool) -> None:
    """The context always, the user vector where that is wanted."""
    trust, context, vectors = trust_of(sees_user=sees_user), users["context"], users["states"]
    assert trust.out is not None
    torch.nn.init.ones_(trust.out.weight)
    plain = trust(context, vectors).channels
    assert not torch.allclose(trust(context + 1.0, vectors).channels, plain)
    assert torch.allclose(trust(context, vectors + 1.0).channels, plain) != sees_user
