"""What learning of trust minimises."""

import math

import numpy as np
import pytest
import torch

from gsr.learning.objective import Choices, cross_entropy


def choices_of(places: list[list[int]], log_inclusion: list[list[float]] | None = None) -> Choices:
    """Return candidates without channels."""
    listed = torch.tensor(places)
    chances = torch.zeros(listed.shape) if log_inclusion is None else torch.tensor(log_inclusion)
    return Choices(listed, chances, torch.zeros(*listed.shape, 1))


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
