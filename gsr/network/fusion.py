"""Fusion of the sequence view and the graph view."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gsr.network.sequence_encoder import GAP_BUCKETS, Dropout, gap_buckets


class Fusion(nn.Module):
    """Joins sequence and graph view into fused item vectors and one user vector.

    With a `score_scale` above 0, item vectors have length 1 and user vectors that length, in each
    encoder's share of them.

    Shapes
    ------
    items: embeddings [U, d] and their graph vectors [U, d] → fused vectors [U, d]
    users: sequence states [B, d], graph views [B, d], pauses [B] → vectors [B, d]
    """

    def __init__(
        self,
        dimension: int,
        time_gaps: bool,
        dropout: Dropout,
        score_scale: float,
        ensemble: int,
    ) -> None:
        super().__init__()
        self.score_scale = score_scale
        self.ensemble = ensemble
        self.item_gate = nn.Parameter(torch.zeros(dimension))
        self.pauses = nn.Parameter(torch.zeros(GAP_BUCKETS, dimension)) if time_gaps else None
        self.from_sequence = nn.Linear(dimension, dimension)
        self.from_graph = nn.Linear(dimension, dimension)
        self.gate = nn.Linear(2 * dimension, dimension)
        self.dropout = dropout

    def items(self, embeddings: Tensor, propagated: Tensor | None) -> Tensor:
        """Return embeddings plus the gated share of what their neighbours sent."""
        fused = embeddings
        if propagated is not None:
            fused = fused + self.item_gate.sigmoid() * propagated
        return self._directions(fused) if self.score_scale else fused

    def users(self, states: Tensor | None, views: Tensor | None, pauses: Tensor) -> Tensor:
        """Return user vectors from whichever views are there; at least one must be."""
        if states is not None and self.pauses is not None:
            states = states + self.pauses.index_select(0, gap_buckets(pauses))
        if states is None:
            return self._scaled(cast("Tensor", self.from_graph(views)))
        if views is None:
            # A state that is compared with the very vectors it was read from learns less by heart.
            return self._scaled(states)
        gate = self.gate(torch.cat((states, views), dim=1)).sigmoid()
        joined = gate * self.from_sequence(states) + (1.0 - gate) * self.from_graph(views)
        return self._scaled(cast("Tensor", joined))

    def _scaled(self, vectors: Tensor) -> Tensor:
        if not self.score_scale:
            return vectors
        return self.score_scale * self._directions(vectors)

    def _directions(self, vectors: Tensor) -> Tensor:
        count, dimension = vectors.shape
        shares = vectors.reshape(count, self.ensemble, dimension // self.ensemble)
        return functional.normalize(shares, dim=2).flatten(1)
