"""Moving averages of weights that learn: what is served is steadier than what moves.

Steps of a constant rate never come to rest; their average does [1]_. It is exponential, so that it
forgets what a stream has left behind.

References
----------
.. [1] Polyak, Juditsky: Acceleration of Stochastic Approximation by Averaging. SIAM Journal on
   Control and Optimization 30, 1992.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gsr.ranker.adam import Floats

FIRST_STEPS: Final = 10
"""At first an average is over the last tenth of the steps: the first ones are far off."""


def follow(averages: Sequence[Floats], weights: Sequence[Floats], decay: float, steps: int) -> None:
    """Move averages after a step of the weights, in place.

    Parameters
    ----------
    averages, weights
        Of the same shapes.
    decay
        What an average keeps of itself, later on.
    steps
        That the weights have taken.
    """
    share = np.float32(max(1.0 - decay, FIRST_STEPS / (FIRST_STEPS + steps)))
    for average, moved in zip(averages, weights, strict=True):
        average[...] += share * (moved - average)
