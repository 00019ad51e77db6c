"""Blocks of examples that are kept."""

import numpy as np

from gsr.baselines.ranker.learned_features import Lookups
from gsr.baselines.ranker.network import Examples
from gsr.baselines.ranker.replay import KeptBlock, ReplayBlocks


def block(number: int) -> KeptBlock:
    examples = Examples(
        features=np.full((2, 3, 4), number / 3, dtype=np.float32),
        context=np.full((2, 1), number, dtype=np.float32),
        present=np.ones((2, 3), dtype=np.bool_),
        targets=np.full(2, number),
    )
    items = np.full((2, 3), number, dtype=np.int32)
    return KeptBlock(examples, Lookups(items, items.astype(np.float32), items, items[:, 0]), number)


def test_a_full_replay_keeps_its_size_and_the_newest_block() -> None:
    """What is drawn is what was added, in half precision; without room nothing is kept."""
    replay = ReplayBlocks(3, np.random.default_rng(0))
    for number in range(10):
        replay.add(block(number))
    assert len(replay) == 3
    drawn = [replay.draw() for _ in range(60)]
    numbers = {int(kept.examples.targets[0]) for kept in drawn}
    assert len(numbers) == 3
    assert 9 in numbers
    for kept in drawn:
        number = int(kept.examples.targets[0])
        assert np.allclose(kept.examples.features, number / 3, rtol=1e-3)
        assert kept.examples.features.dtype == np.float32
        assert kept.lookups.candidates.tolist() == [[number] * 3] * 2
        assert kept.since == number
    none = ReplayBlocks(0, np.random.default_rng(0))
    none.add(block(1))
    assert len(none) == 0


def test_blocks_are_copies() -> None:
    """The arrays that hold fresh examples are filled again."""
    replay = ReplayBlocks(1, np.random.default_rng(0))
    kept = block(1)
    replay.add(kept)
    kept.examples.targets[:] = 5
    kept.lookups.recent[:] = 5
    assert replay.draw().examples.targets.tolist() == [1, 1]
    assert replay.draw().lookups.recent.tolist() == [[1] * 3] * 2
