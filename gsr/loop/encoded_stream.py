"""The ranker on the stream over vectors that encoders have learned elsewhere.

The vectors stand still. The ranker learns, click by click, what their products are worth beside the
counters, which go on.
"""

import numpy as np
import numpy.typing as npt

from gsr.loop.mirror import Mirror
from gsr.loop.ranker_stream import RankerStream
from gsr.network.encoded_vectors import EncodedVectors
from gsr.network.model import JointModel
from gsr.ranker.config import RankerConfig, RankerLearning
from gsr.ranker.model import RankerModel


class EncodedStream(RankerStream):
    """A ranker whose vectors are brought to it.

    Until `serve` is called, the ranker has the counters alone.

    Parameters
    ----------
    config, learning
        Of the ranker.
    mirror
        The live counters.
    mask_seen
        Whether what a user has seen is left out of rankings.

    Attributes
    ----------
    vectors
        What makes the learned features; None before the first encoders.
    """

    def __init__(
        self, config: RankerConfig, learning: RankerLearning, mirror: Mirror, *, mask_seen: bool
    ) -> None:
        model = RankerModel(config, learning.seed, own_vectors=False)
        super().__init__(model, learning, mirror.arrays, mask_seen=mask_seen)
        self._mirror = mirror
        self.vectors: EncodedVectors | None = None

    def serve(self, encoders: JointModel) -> None:
        """Rank with the vectors of other encoders from now on.

        Parameters
        ----------
        encoders
            With a row for each of the mirror's.
        """
        self.vectors = EncodedVectors(encoders, self._mirror.graph())
        self.model.brought = self.vectors

    def begin_chunk(self) -> None:
        """Give the items that came since their vectors, as they are before these clicks' edges."""
        if self.vectors is not None:
            self.vectors.grow(self._mirror.graph())

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items, or for none, from now on."""
        super().renew(rows)
        if self.vectors is not None:
            self.vectors.renew(rows, self._mirror.graph())

    def item_vectors(self) -> npt.NDArray[np.float32]:
        """Return the items' vectors, float32 [N, d]; zeros, [N, 1], where there are none."""
        return super().item_vectors() if self.vectors is None else self.vectors.items
