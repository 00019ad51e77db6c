"""Two features of a candidate from learned vectors: u·e and e₁·e.

u is the user's vector, e₁ that of the newest clicked item, e the candidate's.
"""

from typing import Final, NamedTuple, Protocol

import numpy as np

from gsr.ranker.adam import Floats
from gsr.ranker.lookups import Lookups
from gsr.ranker.vectors.item_vectors import ItemVectors
from gsr.ranker.vectors.products import vector_products
from gsr.ranker.vectors.recent_clicks import RecentClicks
from gsr.ranker.vectors.user_encoder import Encoded, UserEncoder

VECTOR_FEATURES: Final = ("user_vector", "last_item_vector")


class LearnedFeatures(Protocol):
    """Whatever makes the learned features of candidates."""

    def features(self, lookups: Lookups) -> Floats:
        """Return the features of candidates, float32 [n, K, 2]; 0 where there is none."""


class Vectors(NamedTuple):
    """What learned features are made of.

    Parameters
    ----------
    items
        Their vectors.
    encoder
        Makes users' vectors of these.
    """

    items: ItemVectors
    encoder: UserEncoder

    def encode(self, lookups: Lookups) -> Encoded:
        """Return the vectors of users."""
        recent = RecentClicks(lookups.recent, lookups.ages)
        return self.encoder.encode(recent, self.items.of(lookups.recent))

    def features(self, lookups: Lookups) -> Floats:
        """Return the features of candidates, float32 [n, K, 2]; 0 where there is none."""
        found = np.empty((*lookups.candidates.shape, 2), dtype=np.float32)
        vector_products(
            self.items.room,
            len(self.items),
            lookups.candidates,
            queries(self.encode(lookups)),
            found,
        )
        return found


def queries(encoded: Encoded) -> Floats:
    """Return the vectors that candidates' are multiplied with, float32 [n, 2, d]."""
    return np.stack((encoded.vectors, encoded.clicked[:, 0]), axis=1)
