"""Blocks of examples kept for learning them once more."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.learned_features import Lookups
from gsr.baselines.ranker.network import Examples


class KeptBlock(NamedTuple):
    """A block of examples, and what their learned features were computed from.

    Parameters
    ----------
    examples, lookups
        n rows; `targets` is -1 where the clicked item is not among the candidates.
    since
        What `LearnedFeatures.releases` was then.
    """

    examples: Examples
    lookups: Lookups
    since: int


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
        self._blocks: list[tuple[npt.NDArray[np.float16], KeptBlock]] = []

    def __len__(self) -> int:
        return len(self._blocks)

    def draw(self) -> KeptBlock:
        """Return a block at random; there must be one."""
        features, block = self._blocks[int(self._rng.integers(len(self._blocks)))]
        examples = block.examples._replace(features=features.astype(np.float32))
        return block._replace(examples=examples)

    def add(self, block: KeptBlock) -> None:
        """Keep a copy of a block."""
        if self._most == 0:
            return
        features = block.examples.features.astype(np.float16)
        rest = Examples(
            np.zeros((0, 0, 0), dtype=np.float32),
            block.examples.context.copy(),
            block.examples.present.copy(),
            block.examples.targets.copy(),
        )
        kept = (features, KeptBlock(rest, block.lookups.copy(), block.since))
        if len(self._blocks) < self._most:
            self._blocks.append(kept)
        else:
            self._blocks[int(self._rng.integers(self._most))] = kept
