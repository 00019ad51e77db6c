"""The vector ranker as a baseline: the ranker over counters, and vectors that learn with it."""

from typing import Final

from gsr.baselines.ranker.ranker import CounterRanker, RankerOptions
from gsr.baselines.vector_ranker.vector_features import VectorFeatures, VectorOptions

NAME: Final = "vector-ranker"

STEP: Final = 25
"""Examples of one step: twice as many steps as the ranker alone takes."""


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
    options = options or RankerOptions(step=STEP)
    return CounterRanker(options, VectorFeatures(vectors), NAME)
