"""The vector ranker as a baseline: the ranker over counters, and vectors that learn with it."""

from typing import Final

from gsr.baselines.ranker.ranker import CounterRanker, RankerOptions
from gsr.baselines.vector_ranker.vector_features import VectorFeatures, VectorOptions

NAME: Final = "vector-ranker"

BLOCK: Final = 200
"""Examples that are learned at once: new items' vectors cannot wait for more."""


def vector_ranker(
    options: RankerOptions | None = None, vectors: VectorOptions | None = None
) -> CounterRanker:
    """Return a ranker whose features are counts and products of learned vectors.

    Parameters
    ----------
    options
        How it counts and learns.
    vectors
        How its vectors learn.
    """
    options = options or RankerOptions(block=BLOCK)
    return CounterRanker(options, VectorFeatures(vectors), NAME)
