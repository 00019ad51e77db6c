"""Encoded items as arrays. Imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class EncodedItems:
    """Vectors of every item at one moment.

    Parameters
    ----------
    fused
        float32 [N, d], what users are scored against and what the sequence encoder reads.
    propagated
        float32 [N, d], what the graph's neighbours sent; None where the graph encoder is off.
    """

    fused: npt.NDArray[np.float32]
    propagated: npt.NDArray[np.float32] | None
