"""Fusion of the sequence view, the graph view and the direct channels."""

from dataclasses import dataclass
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gsr.network.sequence_encoder import GAP_BUCKETS, Dropout, gap_buckets
from gsr.votes.channels import channel_count, context_count, graph_channel_count

POPULARITY_PRIOR: Final = 0.3
GRAPH_PRIOR: Final = 1.0
NEURAL_PRIOR: Final = 0.1


class Fusion(nn.Module):
    """Joins sequence and graph view into fused item vectors and one user vector.

    With a `score_scale` above 0, item vectors have length 1 and user vectors that length, in each
    encoder's share of them.

    Shapes
    ------
    items: embeddings [U, d] and their graph vectors [U, d] → fused vectors [U, d]
    users: sequence states [B, d], graph views [B, d], context [B, F], pauses [B] → vectors [B, d]
    """

    def __init__(
        self,
        dimension: int,
        scales: int,
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
        self.gate = nn.Linear(2 * dimension + context_count(scales), dimension)
        self.dropout = dropout

    def items(self, embeddings: Tensor, propagated: Tensor | None) -> Tensor:
        """Return embeddings plus the gated share of what their neighbours sent."""
        fused = embeddings
        if propagated is not None:
            fused = fused + self.item_gate.sigmoid() * propagated
        return self._directions(fused) if self.score_scale else fused

    def users(
        self, states: Tensor | None, views: Tensor | None, context: Tensor, pauses: Tensor
    ) -> Tensor:
        """Return user vectors from whichever views are there; at least one must be."""
        if states is not None and self.pauses is not None:
            states = states + self.pauses.index_select(0, gap_buckets(pauses))
        if states is None:
            return self._scaled(cast("Tensor", self.from_graph(views)))
        if views is None:
            # A state that is compared with the very vectors it was read from learns less by heart.
            return self._scaled(states)
        gate = self.gate(torch.cat((states, views, context), dim=1)).sigmoid()
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


@dataclass(frozen=True, slots=True)
class Trust:
    """Weights of the score's parts: gains of the user vectors [B, 1], and of channels [B, C]."""

    gains: Tensor
    channels: Tensor


class ContextTrust(nn.Module):
    """Weights of the user vector and of each channel, from the context.

    Starts at fixed weights that already rank sensibly, because a stream is served from the first
    click on.

    Shapes
    ------
    input: context [B, F], user vectors [B, d]
    output: gains [B, 1], channel weights [B, C]
    """

    def __init__(
        self,
        dimension: int,
        scales: int,
        width: int,
        *,
        popularity: bool,
        graph: bool,
        context: bool,
        sees_user: bool,
    ) -> None:
        super().__init__()
        inputs = context_count(scales) + (dimension if sees_user else 0)
        outputs = 1 + channel_count(scales)
        self.hidden = nn.Linear(inputs, width) if context else None
        self.out = nn.Linear(width, outputs) if context else None
        self.constant = nn.Parameter(torch.zeros(outputs))
        self.sees_user = sees_user
        self._scales = scales
        self.switch: Tensor
        self.prior: Tensor
        sparse = graph_channel_count(scales)
        switch = [1.0] + [float(popularity)] * scales + [float(graph)] * sparse
        voted = [GRAPH_PRIOR / scales] * (2 * scales)
        prior = [POPULARITY_PRIOR / scales] * scales + voted + [0.0] * (sparse - len(voted))
        self.register_buffer("switch", torch.tensor(switch), persistent=False)
        self.register_buffer("prior", torch.tensor([NEURAL_PRIOR, *prior]), persistent=False)

    @torch.no_grad()
    def believe_vectors(self) -> None:
        """Begin with user vectors whose scores are log chances, popularity included."""
        popularity = slice(1, 1 + self._scales)
        self.constant[0] = 1.0 - self.prior[0]
        self.constant[popularity] = -self.prior[popularity]

    def forward(self, context: Tensor, users: Tensor) -> Trust:
        """Return one gain and one weight per channel; zero for a channel that is switched off."""
        weights = (self.prior + self.constant).expand(len(context), -1)
        if self.hidden is not None and self.out is not None:
            seen = torch.cat((context, users), dim=1) if self.sees_user else context
            weights = weights + self.out(functional.gelu(self.hidden(seen)))
        weights = weights * self.switch
        return Trust(weights[:, :1], weights[:, 1:])
