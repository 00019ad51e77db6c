"""Propagation of item embeddings over the weighted item graph."""

import functools
import os
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from gsr.kernel_cache import cache_directory

# The first step of an optimiser imports torch's compiler, which makes a folder: one that is kept
# for all processes, instead of one that each user finds among temporary files.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", f"{cache_directory()}/torch")


class WeightedPropagation(nn.Module):
    r"""One round of propagation: the weighted sum of what an item's neighbours send.

    .. math:: x'_i = \\sum_{j \\in N(i)} w_{ij} x_j

    as in `LightGCN <https://arxiv.org/abs/2002.02126>`_: no transformation, no non-linearity.

    torch_geometric adds up where gradients are wanted; a process that only scores does without it,
    and adds the same numbers in the same order.

    Shapes
    ------
    input: source vectors [U, d], edge index [2, E] (source place, target place), weights [E]
    output: target vectors [R, d]
    """

    def forward(self, vectors: Tensor, edges: Tensor, weights: Tensor, targets: int) -> Tensor:
        """Return what each of `targets` places receives; zero where nobody sends."""
        sources, places = edges
        sent = weights[:, None] * vectors.index_select(0, sources)
        if torch.is_grad_enabled():
            received: Tensor = learning_sum()(sent, places, dim_size=targets, dim=0)
            return received
        return sent.new_zeros(targets, sent.shape[1]).scatter_add_(
            0, places[:, None].expand_as(sent), sent
        )


@functools.cache
def learning_sum() -> Any:
    """Return torch_geometric's sum over edges; the first call imports it.

    There is no part of the library that imports less than all of it. Of the 1.6 CPU-seconds that
    this takes, 1.3 are torch's compiler, which the first step of an optimiser imports as well.
    """
    with warnings.catch_warnings():
        # The library scripts a class at import, which torch warns about; nothing here is scripted.
        warnings.simplefilter("ignore", FutureWarning)
        from torch_geometric.nn.aggr import SumAggregation  # noqa: PLC0415  # see above
    return SumAggregation()


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
