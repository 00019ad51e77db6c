"""The terms that learning minimises."""

import math

import numpy as np
import pytest
import torch

from gsr.learning.objective import (
    Choices,
    Negatives,
    contrast,
    cross_entropy,
    distillation,
    joint_scores,
    neural_entropy,
)
from gsr.network.fusion import Trust
from gsr.network.joint_network import EncodedUsers


def choices_of(places: list[list[int]], log_inclusion: list[list[float]] | None = None) -> Choices:
    """Return candidates without channels."""
    listed = torch.tensor(places)
    chances = torch.zeros(listed.shape) if log_inclusion is None else torch.tensor(log_inclusion)
    return Choices(listed, chances, torch.zeros(*listed.shape, 1))


def negatives_of(places: list[int], log_inclusion: list[float]) -> Negatives:
    """Return items that every click is compared with."""
    return Negatives(torch.tensor(places), torch.tensor(log_inclusion))


def test_cross_entropy_counts_only_what_is_there() -> None:
    """An absent candidate weighs nothing, whatever its score."""
    scores = torch.tensor([[1.0, 2.0, 50.0]])
    found = cross_entropy(scores, choices_of([[0, 1, -1]]))
    assert float(found) == pytest.approx(math.log(math.exp(1.0) + math.exp(2.0)) - 1.0)


def test_a_sampled_candidate_stands_for_others_like_it() -> None:
    """One listed with chance 1/4 counts four times."""
    scores = torch.tensor([[1.0, 2.0]])
    found = cross_entropy(scores, choices_of([[0, 1]], [[0.0, math.log(0.25)]]))
    assert float(found) == pytest.approx(math.log(math.exp(1.0) + 4 * math.exp(2.0)) - 1.0)


def test_sampled_cross_entropy_estimates_the_full_softmax() -> None:
    """Over many draws the corrected sum is the sum over the catalogue."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=50)
    chance = rng.uniform(0.1, 0.6, size=50)
    sums = []
    for _ in range(4000):
        drawn = np.flatnonzero(rng.random(50) < chance)
        sums.append(np.exp(scores[drawn] - np.log(chance[drawn])).sum())
    assert np.mean(sums) == pytest.approx(np.exp(scores).sum(), rel=0.03)


def test_contrast_is_least_when_views_agree() -> None:
    """Equal views beat shuffled ones."""
    views = torch.eye(6)
    assert float(contrast(views, views, 0.1).sum()) < float(
        contrast(views, views.flip(0), 0.1).sum()
    )


def test_distillation_is_zero_for_the_teacher_itself() -> None:
    """And positive otherwise; a constant more on every score changes nothing."""
    teacher = torch.tensor([[1.0, 2.0, 3.0]])
    assert float(distillation(teacher + 5.0, teacher)) == pytest.approx(0.0, abs=1e-6)
    assert float(distillation(teacher.flip(1), teacher)) > 0.1


def test_neural_entropy_compares_with_every_negative_but_the_clicked() -> None:
    """The clicked item is never its own negative, and a click that led nowhere costs nothing."""
    items = torch.tensor([[1.0], [2.0], [3.0]])
    negatives = negatives_of([0, 2], [0.0, math.log(0.5)])
    vectors = torch.ones(3, 1)
    found = neural_entropy(vectors, items, torch.tensor([1, 2, -1]), negatives)
    one = math.log(math.exp(2.0) + math.exp(1.0) + 2 * math.exp(3.0)) - 2.0
    other = math.log(math.exp(3.0) + math.exp(1.0)) - 3.0
    assert found.tolist() == pytest.approx([one, other, 0.0])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_joint_gradient_reaches_the_encoders_in_part(share: float) -> None:
    """Trust is taught in full, vectors by their share."""
    items = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    vectors = torch.tensor([[0.5, 1.0]], requires_grad=True)
    gains = torch.tensor([[2.0]], requires_grad=True)
    weights = torch.tensor([[3.0]], requires_grad=True)
    views = EncodedUsers(vectors, None, None, None, Trust(gains, weights))
    choices = Choices(torch.tensor([[0, 1]]), torch.zeros(1, 2), torch.tensor([[[1.0], [0.5]]]))
    scores = joint_scores(views, items, choices, share)
    assert scores.tolist() == [[4.0, 5.5]]
    scores[0, 1].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert vectors.grad is not None
    assert vectors.grad.tolist() == [[0.0, 4.0 * share]]
    assert gains.grad is not None
    assert float(gains.grad) == 2.0
    assert weights.grad is not None
    assert float(weights.grad) == 0.5
