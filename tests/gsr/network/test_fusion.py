"""Fusion of both views."""

import pytest
import torch

from gsr.network.fusion import Fusion
from gsr.network.sequence_encoder import Dropout

WIDTH, USERS = 4, 3


def fusion_of(score_scale: float = 0.0, ensemble: int = 1) -> Fusion:
    """Return a fusion with weights of its own."""
    made = torch.Generator().manual_seed(2)
    fusion = Fusion(WIDTH, True, Dropout(0.0, made), score_scale, ensemble)
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=made))
    return fusion.eval()


@pytest.fixture
def users() -> dict[str, torch.Tensor]:
    """Return states and graph views of three users, and their pauses."""
    made = torch.Generator().manual_seed(1)
    return {
        "states": torch.randn(USERS, WIDTH, generator=made),
        "views": torch.randn(USERS, WIDTH, generator=made),
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
    fusion, pauses = fusion_of(), users["pauses"]
    moved = fusion.users(users["states"], None, pauses) - users["states"]
    assert fusion.pauses is not None
    torch.testing.assert_close(moved[0], fusion.pauses[0])
    assert not torch.allclose(moved[1], moved[2])
    graph = fusion.users(None, users["views"], pauses)
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
