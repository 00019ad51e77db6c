"""Two features of a candidate from learned vectors: u·e and e₁·e.

u is the user's vector, e₁ that of the newest clicked item, e the candidate's.
"""

from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

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
        return self.encoder.encode(recent, self.items.room, len(self.items))

    def features(self, lookups: Lookups) -> Floats:
        """Return the features of candidates, float32 [n, K, 2]; 0 where there is none."""
        asked = queries(self.encode(lookups))
        return product_features(self.items.room, len(self.items), lookups.candidates, asked)


def product_features(
    vectors: Floats, items: int, candidates: npt.NDArray[np.int32], asked: Floats
) -> Floats:
    """Return the products of candidates' vectors with those asked, float32 [n, K, 2].

    Parameters
    ----------
    vectors, items
        float32 [room, d], of which the first `items` rows are items.
    candidates
        int32 [n, K], item rows; the products of unknown ones are 0.
    asked
        float32 [n, 2, d], of users and of their newest items.
    """
    found = np.empty((*candidates.shape, 2), dtype=np.float32)
    vector_products(vectors, items, candidates, asked, found)
    return found


def queries(encoded: Encoded) -> Floats:
    """Return the vectors that candidates' are multiplied with, float32 [n, 2, d]."""
    return np.stack((encoded.vectors, encoded.newest), axis=1)
