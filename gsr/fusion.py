"""Where the two views and the direct channels join."""

from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gsr.channels import channel_count, context_count, graph_channel_count
from gsr.sequence_encoder import GAP_BUCKETS, Dropout, gap_buckets

POPULARITY_PRIOR: Final = 0.4
GRAPH_PRIOR: Final = 0.5


class Fusion(nn.Module):
    """Joins sequence and graph view into fused item vectors and one user vector.

    Shapes
    ------
    items: embeddings [U, d] and their graph vectors [U, d] → fused vectors [U, d]
    users: sequence states [B, d], graph views [B, d], context [B, F], pauses [B] → vectors [B, d]
    """

    def __init__(self, dimension: int, scales: int, time_gaps: bool, dropout: Dropout) -> None:
        super().__init__()
        self.item_gate = nn.Parameter(torch.zeros(dimension))
        self.pauses = nn.Parameter(torch.zeros(GAP_BUCKETS, dimension)) if time_gaps else None
        self.from_sequence = nn.Linear(dimension, dimension)
        self.from_graph = nn.Linear(dimension, dimension)
        self.gate = nn.Linear(2 * dimension + context_count(scales), dimension)
        self.dropout = dropout

    def items(self, embeddings: Tensor, propagated: Tensor | None) -> Tensor:
        """Return embeddings plus the gated share of what their neighbours sent."""
        if propagated is None:
            return embeddings
        return embeddings + self.item_gate.sigmoid() * propagated

    def users(
        self, states: Tensor | None, views: Tensor | None, context: Tensor, pauses: Tensor
    ) -> Tensor:
        """Return user vectors from whichever views are there; at least one must be."""
        if states is not None and self.pauses is not None:
            states = states + self.pauses.index_select(0, gap_buckets(pauses))
        if states is None or views is None:
            only = self.from_sequence(states) if views is None else self.from_graph(views)
            return cast("Tensor", only)
        gate = self.gate(torch.cat((states, views, context), dim=1)).sigmoid()
        joined = gate * self.from_sequence(states) + (1.0 - gate) * self.from_graph(views)
        return cast("Tensor", joined)


class ChannelWeights(nn.Module):
    """How far each channel is trusted, given the context.

    Starts at fixed weights that already rank sensibly, because a stream is served from the first
    click on.

    Shapes
    ------
    input: context [B, F], user vectors [B, d]
    output: weights [B, C]
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
        self.hidden = nn.Linear(inputs, width) if context else None
        self.out = nn.Linear(width, channel_count(scales)) if context else None
        self.constant = nn.Parameter(torch.zeros(channel_count(scales)))
        self.sees_user = sees_user
        self.switch: Tensor
        self.prior: Tensor
        sparse = graph_channel_count(scales)
        switch = torch.tensor([float(popularity)] * scales + [float(graph)] * sparse)
        self.register_buffer("switch", switch, persistent=False)
        prior = [POPULARITY_PRIOR / scales] * scales + [GRAPH_PRIOR / scales] * sparse
        self.register_buffer("prior", torch.tensor(prior), persistent=False)

    def forward(self, context: Tensor, users: Tensor) -> Tensor:
        """Return one weight per user and channel; zero for a channel that is switched off."""
        weights = self.prior + self.constant
        if self.hidden is not None and self.out is not None:
            seen = torch.cat((context, users), dim=1) if self.sees_user else context
            weights = weights + self.out(functional.gelu(self.hidden(seen)))
        else:
            weights = weights.expand(len(context), -1)
        return weights * self.switch
