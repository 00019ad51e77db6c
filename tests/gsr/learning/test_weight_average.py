"""An average that follows, and that can stand in for the weights."""

import torch

from gsr.learning.weight_average import WeightAverage


def test_it_follows_and_stands_in() -> None:
    """Young averages follow fast, old ones as slowly as they were told."""
    weight = torch.zeros(3)
    average = WeightAverage([weight], 0.9)
    weight.fill_(1.0)
    average.follow(0)
    torch.testing.assert_close(average.values[0], torch.ones(3))
    weight.fill_(2.0)
    average.follow(10_000)
    torch.testing.assert_close(average.values[0], torch.full((3,), 1.1))
    with average.installed():
        torch.testing.assert_close(weight, torch.full((3,), 1.1))
    torch.testing.assert_close(weight, torch.full((3,), 2.0))
    torch.testing.assert_close(average.values[0], torch.full((3,), 1.1))


def test_without_decay_the_average_is_the_weights() -> None:
    weight = torch.zeros(3)
    average = WeightAverage([weight], 0.0)
    weight.fill_(4.0)
    average.follow(3)
    torch.testing.assert_close(average.values[0], weight)
    with average.installed():
        weight += 1.0
    torch.testing.assert_close(weight, torch.full((3,), 5.0))
