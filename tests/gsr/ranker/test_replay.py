"""Blocks of examples that are kept."""

import numpy as np

from gsr.ranker.lookups import Lookups
from gsr.ranker.network import Examples
from gsr.ranker.replay import Block, ReplayBlocks


def block(number: int) -> Block:
    examples = Examples(
        features=np.full((2, 3, 4), number / 3, dtype=np.float32),
        context=np.full((2, 1), number, dtype=np.float32),
        log_weights=np.zeros((2, 3), dtype=np.float32),
        targets=np.full(2, number),
    )
    items = np.full((2, 3), number, dtype=np.int32)
    return Block(examples, Lookups(items, items.astype(np.float32), items, items[:, 0]))


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


def test_items_that_left_are_looked_up_no_more() -> None:
    """In every block; the others' stay."""
    replay = ReplayBlocks(2, np.random.default_rng(0))
    replay.add(block(1))
    replay.add(block(2))
    replay.forget(np.array([2, 9]))
    found = {tuple(replay.draw().lookups.clicked.tolist()) for _ in range(40)}
    assert found == {(1, 1), (-1, -1)}


def test_what_is_kept_can_be_kept_elsewhere() -> None:
    """The same blocks in the same places; memory is counted."""
    replay = ReplayBlocks(3, np.random.default_rng(0))
    assert replay.nbytes == 0
    for number in range(3):
        replay.add(block(number))
    assert replay.nbytes > 3 * 2 * 3 * 4 * 2
    other = ReplayBlocks(3, np.random.default_rng(0))
    other.load(replay.arrays())
    replay = ReplayBlocks(3, np.random.default_rng(0))
    replay.load(other.arrays())
    for _ in range(10):
        one, same = replay.draw(), other.draw()
        np.testing.assert_array_equal(one.examples.features, same.examples.features)
        np.testing.assert_array_equal(one.lookups.recent, same.lookups.recent)
