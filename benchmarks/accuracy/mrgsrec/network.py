r"""MRGSRec's network and losses, with every prediction blind to what it predicts.

After Baikalov & Frolov, "End-to-End Graph-Sequential Representation Learning for Accurate
Recommendations" (arXiv 2403.00895), and the configuration released with it. Three ways in which
the released code sees the answer are closed:

- Its user token attends to the whole sequence while every item attends to the token, so from the
  second layer on each position reads its own target. Here the token stands first and sees nothing
  but itself; the sequence's representation of the user *at a click* is the state at that click.
- Its graph and fused representations of a training user contain all the user's items, the
  positives among them. Here they exist per position: the user's graph vector after click t is
  propagated from the clicks up to t. With one hop this is exact, a running sum.
- Its item vectors in the softmax are propagated from users, and so hold the very edge that is to
  be predicted. Here a step's graph leaves out all edges of the users in the batch.

Its positions count back from the end of a sequence, which tells how many clicks follow; ours count
from the start. What remains is the paper's: one item table in both encoders, one hop of
propagation with L2-normalised sums averaged with the embeddings themselves, a post-norm
transformer, a fusion of two layers whose output is scored against the item table, and the losses
1.0 cross-entropy of the sequence, 0.1 BPR of the graph, 0.5 BPR of the fusion, 0.05 InfoNCE.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The released configuration for Beauty.

    Parameters
    ----------
    dimension, layers, heads, dropout
        Of the network; the feed-forward layers are four times as wide.
    learning_rate, batch_size
        Adam's step, and users per step.
    length
        Newest clicks of a user that are used, the target included.
    graph_loss, fusion_loss, contrastive_loss
        Weights of the terms beside the sequence's.
    negatives
        Items that estimate BPR's mean over the whole catalogue, drawn uniformly for each step.
    """

    dimension: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.3
    learning_rate: float = 1e-3
    batch_size: int = 256
    length: int = 10
    graph_loss: float = 0.1
    fusion_loss: float = 0.5
    contrastive_loss: float = 0.05
    negatives: int = 1024


@dataclass(frozen=True, slots=True)
class Graph:
    """Who clicked what: e edges between U users and N items.

    Parameters
    ----------
    users, items
        int64 [e], each pair once.
    user_degrees, item_degrees
        float32 [U] and [N], edges of each, at least 1. They stay those of the whole graph when
        some users are left out: of an item in a history, the user's own edge is always one.
    """

    users: Tensor
    items: Tensor
    user_degrees: Tensor
    item_degrees: Tensor

    @classmethod
    def of(cls, pairs: Tensor, user_count: int, item_count: int) -> "Graph":
        """Return the graph of clicks, int64 [c, 2], users before items."""
        users, items = torch.unique(pairs, dim=0).T.contiguous()
        return cls(
            users,
            items,
            torch.bincount(users, minlength=user_count).clamp(min=1).float(),
            torch.bincount(items, minlength=item_count).clamp(min=1).float(),
        )

    def without(self, users: Tensor) -> "Graph":
        """Return the graph without the edges of these users, int64 [B]."""
        out = torch.zeros(len(self.user_degrees), dtype=torch.bool)
        out[users] = True
        kept = ~out[self.users]
        return replace(self, users=self.users[kept], items=self.items[kept])


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says after every click of B sequences of n.

    Parameters
    ----------
    states, views, fused
        [B, n, d], the user by the sequence, by the graph, and by both.
    table
        [N, d], item vectors with their propagated neighbourhoods.
    """

    states: Tensor
    views: Tensor
    fused: Tensor
    table: Tensor


class MRGSRec(nn.Module):
    """Two encoders over one item table.

    Parameters
    ----------
    settings
        Shape.
    user_count, item_count
        U and N.
    """

    def __init__(self, settings: Settings, user_count: int, item_count: int) -> None:
        super().__init__()
        d = settings.dimension
        self.users = nn.Embedding(user_count, d)
        self.items = nn.Embedding(item_count, d)
        self.positions = nn.Embedding(settings.length, d)
        self.input_norm = nn.LayerNorm(d, eps=1e-9)
        self.dropout = nn.Dropout(settings.dropout)
        layer = nn.TransformerEncoderLayer(
            d,
            settings.heads,
            4 * d,
            settings.dropout,
            functional.gelu,
            layer_norm_eps=1e-9,
            batch_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, settings.layers, enable_nested_tensor=False)
        self.fusion = nn.Sequential(nn.Linear(2 * d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.edge_dropout = settings.dropout
        self._initialise()

    def forward(self, graph: Graph, users: Tensor, items: Tensor) -> Outputs:
        """Encode sequences.

        Parameters
        ----------
        graph
            Must hold no edge of these users where their next clicks are to be learned.
        users
            [B, d], the users' own vectors.
        items
            int64 [B, n], clicks from the first on; what stands behind a sequence's end may be
            anything.
        """
        states = self.encode(users, items)
        views = self.view(graph, users, items)
        fused = self.fusion(torch.cat([states, views], dim=2))
        return Outputs(states, views, fused, self.propagate(graph))

    def encode(self, users: Tensor, items: Tensor) -> Tensor:
        """Return the sequence's state after every click, [B, n, d]."""
        n = items.shape[1]
        clicks = self.items(items) + self.positions.weight[:n]
        tokens = torch.cat([users[:, None], self.dropout(self.input_norm(clicks))], dim=1)
        later = torch.ones(n + 1, n + 1, dtype=torch.bool).triu(1)
        states: Tensor = self.encoder(tokens, mask=later)
        return states[:, 1:]

    def view(self, graph: Graph, users: Tensor, items: Tensor) -> Tensor:
        """Return the user's graph vector after every click, [B, n, d].

        The user's own degree is common to all terms and vanishes when they are normalised.
        """
        shares = self._dropped(graph.item_degrees.rsqrt()[items])
        sums = (self.items(items) * shares[:, :, None]).cumsum(dim=1)
        return 0.5 * (users[:, None] + functional.normalize(sums, dim=2))

    def propagate(self, graph: Graph) -> Tensor:
        """Return item vectors averaged with what their users' vectors add up to, [N, d].

        The item's own degree vanishes likewise.
        """
        shares = self._dropped(graph.user_degrees.rsqrt()[graph.users])
        messages = self.users(graph.users) * shares[:, None]
        sums = torch.zeros_like(self.items.weight).index_add(0, graph.items, messages)
        return 0.5 * (self.items.weight + functional.normalize(sums, dim=1))

    def _dropped(self, shares: Tensor) -> Tensor:
        """Drop a part of the edges in training, and scale up the rest."""
        return functional.dropout(shares, self.edge_dropout, self.training)

    @torch.no_grad()
    def _initialise(self) -> None:
        for name, value in self.named_parameters():
            if "norm" in name:
                nn.init.constant_(value, 1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                nn.init.zeros_(value)
            else:
                nn.init.trunc_normal_(value, std=0.02, a=-0.04, b=0.04)


def total_loss(
    outputs: Outputs,
    embeddings: Tensor,
    clicked: Tensor,
    real: Tensor,
    negatives: Tensor,
    settings: Settings,
) -> Tensor:
    """Return the weighted sum of the four losses.

    Parameters
    ----------
    outputs
        Of the network.
    embeddings
        [N, d], the items' own vectors.
    clicked
        int64 [B, n], what was clicked after each click.
    real
        bool [B, n], where there is such a click.
    negatives
        int64 [k], what BPR compares it with.
    settings
        Weights.
    """
    target = clicked[real]
    states, views, fused = (x[real] for x in (outputs.states, outputs.views, outputs.fused))
    local = functional.cross_entropy(states @ outputs.table.T, target)
    by_graph = bpr(views, outputs.table, target, negatives)
    by_fusion = bpr(fused, embeddings, target, negatives)
    contrast = info_nce(states, views)
    return (
        local
        + settings.graph_loss * by_graph
        + settings.fusion_loss * by_fusion
        + settings.contrastive_loss * contrast
    )


def bpr(users: Tensor, items: Tensor, target: Tensor, negatives: Tensor) -> Tensor:
    """Return the mean of -log sigmoid(own score - negative's), users [T, d], items [N, d]."""
    own = (users * items[target]).sum(dim=1, keepdim=True)
    return functional.softplus(users @ items[negatives].T - own).mean()


def info_nce(a: Tensor, b: Tensor) -> Tensor:
    """Return half the mean InfoNCE of T pairs, each against both sides of all others."""
    both = functional.normalize(torch.cat([a, b]), dim=1)
    count = len(a)
    logits = (both @ both.T).fill_diagonal_(-math.inf)
    partner = torch.arange(2 * count).roll(count)
    return 0.5 * functional.cross_entropy(logits, partner)
