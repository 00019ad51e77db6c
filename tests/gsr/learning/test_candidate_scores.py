"""Scores of each user's own candidates."""

import torch

from gsr.learning.candidate_scores import candidate_scores


def test_scores_and_gradients_equal_the_plain_product() -> None:
    """The compiled passes do what gather and matmul do; an absent candidate scores 0."""
    generator = torch.Generator().manual_seed(0)
    items = torch.randn(7, 5, generator=generator, requires_grad=True)
    vectors = torch.randn(3, 5, generator=generator, requires_grad=True)
    places = torch.tensor([[0, 6, -1, 2], [1, 1, 3, 0], [-1, -1, 5, 4]])
    weights = torch.randn(3, 4, generator=generator)
    found = candidate_scores(items, vectors, places)
    gradients = torch.autograd.grad((found * weights).sum(), (items, vectors))
    gathered = items[places.clamp(min=0)] * (places >= 0)[:, :, None]
    plain = (gathered @ vectors[:, :, None])[:, :, 0]
    expected = torch.autograd.grad((plain * weights).sum(), (items, vectors))
    assert torch.allclose(found, plain, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(gradients, expected, strict=True))
    assert (found[places < 0] == 0.0).all()
