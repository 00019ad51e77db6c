"""Softmax cross-entropy over the whole catalogue, with sparse additions to the scores.

All scores of a step would be hundreds of megabytes, and automatic differentiation would keep
several copies of them. Loss and gradients are made here together, a few rows at a time, in a buffer
that stays in the processor's cache, as in `Liger's <https://arxiv.org/abs/2410.10989>`_ fused
linear cross-entropy.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BUFFER_BYTES: Final = 4 * 1024 * 1024
FEWEST_ROWS: Final = 32
"""Rows scored together come in multiples of this, as matrix instructions like them."""


class ScoreBuffer:
    """Memory for scores that steps share, because asking for it anew costs page faults."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)

    def rows(self, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return float32 [rows, columns] with anything in it, on the device of `like`."""
        if self._memory.numel() < rows * columns or self._memory.device != like.device:
            self._memory = torch.empty(rows * columns * 5 // 4, device=like.device)
        return self._memory[: rows * columns].view(rows, columns)


class _CatalogueLoss(torch.autograd.Function):
    """Mean loss; gradients are made together with it."""

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        items: Tensor,
        entries: npt.NDArray[np.int64],
        values: Tensor,
        targets: Tensor,
        buffer: ScoreBuffer,
        offsets: Tensor,
    ) -> Tensor:
        count, columns = len(vectors), len(items)
        size = FEWEST_ROWS * max(1, BUFFER_BYTES // (4 * columns * FEWEST_ROWS))
        starts = range(0, count, size)
        bounds = np.searchsorted(entries, [*(start * columns for start in starts), np.inf])
        added = torch.from_numpy(entries).to(vectors.device)
        aimed = items.index_select(0, targets)
        losses = vectors.new_empty(count)
        to_vectors = torch.empty_like(vectors)
        to_items = torch.zeros_like(items) if ctx.needs_input_grad[1] else None
        for start, (first, last) in zip(starts, pairwise(bounds), strict=True):
            stop = min(start + size, count)
            block, aims = vectors[start:stop], targets[start:stop]
            scores = buffer.rows(stop - start, columns, vectors)
            torch.addmm(offsets, block, items.T, out=scores)
            mine = slice(first, last)
            scores.view(-1).index_add_(0, added[mine] - start * columns, values[mine])
            own = scores.gather(1, aims[:, None])
            peak = scores.amax(dim=1, keepdim=True)
            total = scores.sub_(peak).exp_().sum(dim=1, keepdim=True)
            losses[start:stop] = (total.log() + peak - own)[:, 0]
            torch.mm(scores, items, out=to_vectors[start:stop]).div_(total)
            if to_items is not None:
                to_items.addmm_(scores.T, block / total)
        to_vectors.sub_(aimed)
        if to_items is not None:
            to_items.index_add_(0, targets, vectors, alpha=-1).div_(count)
        ctx.save_for_backward(to_vectors.div_(count), to_items)
        return losses.mean()

    @staticmethod
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor | None, None, None, None, None, None]:
        (gradient,) = gradients
        to_vectors, to_items = ctx.saved_tensors
        items = None if to_items is None else gradient * to_items
        return gradient * to_vectors, items, None, None, None, None, None


def catalogue_loss(
    vectors: Tensor,
    items: Tensor,
    entries: npt.NDArray[np.int64],
    values: Tensor,
    targets: Tensor,
    buffer: ScoreBuffer,
    offsets: Tensor | None = None,
) -> Tensor:
    """Return the mean negative log likelihood of the targets.

    Parameters
    ----------
    vectors
        float32 [m, d].
    items
        float32 [N, d], scored by inner product.
    entries, values
        int64 [K] in memory and float32 [K]: ``values`` are added to the scores at the distinct,
        ascending flat places ``entries``, which are ``row * N + item``, without a gradient.
    targets
        int64 [m], below N.
    buffer
        For the scores.
    offsets
        float32 [N], added to every row's scores, without a gradient; None: nothing.
    """
    if offsets is None:
        offsets = items.new_zeros(())
    loss: Tensor = _CatalogueLoss.apply(vectors, items, entries, values, targets, buffer, offsets)
    return loss
