"""Whether new weights are worse than the old ones: a paired test over users."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FEWEST_JUDGES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judge's decision.

    Parameters
    ----------
    promoted
        Whether the new weights stay; if not, the old ones are back.
    samples
        Held-back clicks that were compared: those whose item was among its candidates.
    before, after
        Mean negative log likelihood of the slice under the old and the new weights.
    z
        Paired z of the difference; positive is worse.
    """

    promoted: bool
    samples: int
    before: float
    after: float
    z: float


def paired_z(
    before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64],
    users: npt.NDArray[np.uint64],
) -> float:
    """Return by how many standard errors `after` lies above `before`; inf if it is not finite.

    The error is that of users, not of samples: one user's clicks rise and fall together. Of fewer
    than `FEWEST_JUDGES` users nothing can be said: 0.

    >>> users = np.arange(10, dtype=np.uint64)
    >>> paired_z(np.zeros(10), np.array([0.1, 0.3] * 5), users)
    6.3...
    """
    worse = after - before
    if not np.isfinite(worse).all():
        return math.inf
    found, user = np.unique(users, return_inverse=True)
    if len(found) < FEWEST_JUDGES:
        return 0.0
    mean = float(worse.mean())
    error = math.sqrt(float(np.square(np.bincount(user, worse - mean)).sum())) / len(worse)
    if error == 0.0:
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / error
