"""Blocks of examples kept for learning them once more."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.lookups import Lookups
from gsr.ranker.network import Examples

_NONE: npt.NDArray[np.float32] = np.zeros((0, 0, 0), dtype=np.float32)
_ARRAYS = (*Examples._fields, *Lookups._fields)


class Block(NamedTuple):
    """A block of standardised examples, and what their learned features were computed from.

    Parameters
    ----------
    examples, lookups
        n rows; `targets` is -1 where the clicked item is not among the candidates.
    """

    examples: Examples
    lookups: Lookups


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
        self._blocks: list[tuple[npt.NDArray[np.float16], Block]] = []

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def nbytes(self) -> int:
        """Memory that the blocks take."""
        return sum(array.nbytes for block in self._blocks for array in _columns(block))

    def draw(self) -> Block:
        """Return a block at random; there must be one."""
        features, block = self._blocks[int(self._rng.integers(len(self._blocks)))]
        examples = block.examples._replace(features=features.astype(np.float32))
        return block._replace(examples=examples)

    def add(self, block: Block) -> None:
        """Keep a copy of a block."""
        if self._most == 0:
            return
        features = block.examples.features.astype(np.float16)
        context, log_weights, targets = block.examples[1:]
        rest = Examples(_NONE, context.copy(), log_weights.copy(), targets.copy())
        kept = (features, Block(rest, block.lookups.copy()))
        if len(self._blocks) < self._most:
            self._blocks.append(kept)
        else:
            self._blocks[int(self._rng.integers(self._most))] = kept

    def forget(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items from now on: look none of them up any more."""
        self._blocks = [
            (features, block._replace(lookups=block.lookups.without(rows)))
            for features, block in self._blocks
        ]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that is kept."""
        return {
            f"{place}.{name}": column
            for place, block in enumerate(self._blocks)
            for name, column in zip(_ARRAYS, _columns(block), strict=True)
        }

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Keep what `arrays` returned."""
        self._blocks = []
        for place in range(len(arrays) // len(_ARRAYS)):
            features, *rest = (arrays[f"{place}.{name}"] for name in _ARRAYS)
            examples = Examples(_NONE, *rest[:3])
            self._blocks.append((features, Block(examples, Lookups(*rest[3:]))))


def _columns(kept: tuple[npt.NDArray[np.float16], Block]) -> list[npt.NDArray[Any]]:
    features, block = kept
    return [features, *block.examples[1:], *block.lookups]
