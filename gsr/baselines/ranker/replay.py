"""Blocks of examples kept for learning them once more."""

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.network import Examples


class ReplayBlocks:
    """Earlier blocks of examples; a new one takes the place of a random one.

    Features are kept in half precision, which is finer than the noise in them.

    Parameters
    ----------
    blocks
        How many are kept at most.
    rng
        Draws them.
    """

    def __init__(self, blocks: int, rng: np.random.Generator) -> None:
        self._most = blocks
        self._rng = rng
        self._blocks: list[tuple[npt.NDArray[np.float16], Examples]] = []

    def __len__(self) -> int:
        return len(self._blocks)

    def draw(self) -> Examples:
        """Return a block at random; there must be one."""
        features, rest = self._blocks[int(self._rng.integers(len(self._blocks)))]
        return rest._replace(features=features.astype(np.float32))

    def add(self, examples: Examples) -> None:
        """Keep a block."""
        if self._most == 0:
            return
        features = examples.features.astype(np.float16)
        rest = Examples(
            np.zeros((0, 0, 0), dtype=np.float32),
            examples.context.copy(),
            examples.present.copy(),
            examples.targets.copy(),
        )
        block = (features, rest)
        if len(self._blocks) < self._most:
            self._blocks.append(block)
        else:
            self._blocks[int(self._rng.integers(self._most))] = block
