"""Blocks of examples that are kept."""

import numpy as np

from gsr.baselines.ranker.network import Examples
from gsr.baselines.ranker.replay import ReplayBlocks


def block(number: int) -> Examples:
    return Examples(
        features=np.full((2, 3, 4), number / 3, dtype=np.float32),
        context=np.full((2, 1), number, dtype=np.float32),
        present=np.ones((2, 3), dtype=np.bool_),
        targets=np.full(2, number),
    )


def test_a_full_replay_keeps_its_size_and_the_newest_block() -> None:
    """What is drawn is what was added, in half precision; without room nothing is kept."""
    replay = ReplayBlocks(3, np.random.default_rng(0))
    for number in range(10):
        replay.add(block(number))
    assert len(replay) == 3
    drawn = [replay.draw() for _ in range(60)]
    numbers = {int(examples.targets[0]) for examples in drawn}
    assert len(numbers) == 3
    assert 9 in numbers
    for examples in drawn:
        number = int(examples.targets[0])
        assert np.allclose(examples.features, number / 3, rtol=1e-3)
        assert examples.features.dtype == np.float32
    none = ReplayBlocks(0, np.random.default_rng(0))
    none.add(block(1))
    assert len(none) == 0


def test_blocks_are_copies() -> None:
    """The arrays that hold fresh examples are filled again."""
    replay = ReplayBlocks(1, np.random.default_rng(0))
    examples = block(1)
    replay.add(examples)
    examples.targets[:] = 5
    assert replay.draw().targets.tolist() == [1, 1]
