"""Propagation of item embeddings over the weighted item graph."""

import warnings
from typing import cast

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    # The library scripts a class at import, which torch warns about; nothing here is scripted.
    warnings.simplefilter("ignore", FutureWarning)
    from torch_geometric.nn.conv import MessagePassing


class WeightedPropagation(MessagePassing):  # type: ignore[misc]  # the library has no types
    r"""One round of propagation: the weighted sum of what an item's neighbours send.

    .. math:: x'_i = \\sum_{j \\in N(i)} w_{ij} x_j

    as in `LightGCN <https://arxiv.org/abs/2002.02126>`_: no transformation, no non-linearity.

    Shapes
    ------
    input: source vectors [U, d], edge index [2, E] (source place, target place), weights [E]
    output: target vectors [R, d]
    """

    def __init__(self) -> None:
        super().__init__(aggr="sum")

    def forward(self, vectors: Tensor, edges: Tensor, weights: Tensor, targets: int) -> Tensor:
        """Return what each of `targets` places receives; zero where nobody sends."""
        size = (len(vectors), targets)
        received = self.propagate(edges, x=(vectors, None), weights=weights, size=size)
        return cast("Tensor", received)

    def message(self, x_j: Tensor, weights: Tensor) -> Tensor:
        """Scale each sent vector [E, d] by its edge's weight [E]."""
        return weights[:, None] * x_j


class ScaleMix(nn.Module):
    """Learned mix of the time scales of edge shares.

    Shapes
    ------
    input: shares [E, S]
    output: weights [E]
    """

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(scales))

    def forward(self, shares: Tensor) -> Tensor:
        """Return the convex combination of the scales."""
        return shares @ self.logits.softmax(dim=0)
