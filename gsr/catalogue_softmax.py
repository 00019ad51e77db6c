"""Softmax cross-entropy over the whole catalogue, with sparse additions to the scores.

All scores of a step would be hundreds of megabytes, and automatic differentiation would keep
several copies of them. Loss and gradients are made here together, a few rows at a time, in a buffer
that stays in the processor's cache, as in `Liger's <https://arxiv.org/abs/2410.10989>`_ fused
linear cross-entropy.
"""

from typing import Any, Final

import torch
from torch import Tensor

BUFFER_BYTES: Final = 4 * 1024 * 1024
FEWEST_ROWS: Final = 16


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
        entries: Tensor,
        values: Tensor,
        targets: Tensor,
        buffer: ScoreBuffer,
    ) -> Tensor:
        count, columns = len(vectors), len(items)
        size = max(FEWEST_ROWS, BUFFER_BYTES // (4 * columns))
        starts = torch.arange(0, count, size)
        bounds = torch.searchsorted(entries, starts.to(entries) * columns).tolist()
        bounds.append(len(entries))
        losses = vectors.new_empty(count)
        to_vectors, to_values = torch.empty_like(vectors), torch.empty_like(values)
        to_items = torch.zeros_like(items) if ctx.needs_input_grad[1] else None
        for number, start in enumerate(starts.tolist()):
            stop = min(start + size, count)
            block, aims = vectors[start:stop], targets[start:stop]
            scores = torch.mm(block, items.T, out=buffer.rows(stop - start, columns, vectors))
            flat = scores.view(-1)
            mine = slice(bounds[number], bounds[number + 1])
            places = entries[mine] - start * columns
            flat.index_add_(0, places, values[mine])
            own = scores.gather(1, aims[:, None])
            total = scores.logsumexp(dim=1, keepdim=True)
            losses[start:stop] = (total - own)[:, 0]
            scores.sub_(total).exp_()
            scores.scatter_add_(1, aims[:, None], torch.full_like(own, -1.0))
            torch.mm(scores, items, out=to_vectors[start:stop])
            if to_items is not None:
                to_items.addmm_(scores.T, block)
            to_values[mine] = flat.index_select(0, places)
        if to_items is not None:
            to_items /= count
        ctx.save_for_backward(to_vectors / count, to_items, to_values / count)
        return losses.mean()

    @staticmethod
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor | None, None, Tensor, None, None]:
        (gradient,) = gradients
        to_vectors, to_items, to_values = ctx.saved_tensors
        items = None if to_items is None else gradient * to_items
        return gradient * to_vectors, items, None, gradient * to_values, None, None


def catalogue_loss(
    vectors: Tensor,
    items: Tensor,
    entries: Tensor,
    values: Tensor,
    targets: Tensor,
    buffer: ScoreBuffer,
) -> Tensor:
    """Return the mean negative log likelihood of the targets.

    Parameters
    ----------
    vectors
        float32 [m, d].
    items
        float32 [N, d], scored by inner product.
    entries, values
        int64 and float32 [K]: ``values`` are added to the scores at the distinct, ascending flat
        places ``entries``, which are ``row * N + item``.
    targets
        int64 [m], below N.
    buffer
        For the scores.
    """
    loss: Tensor = _CatalogueLoss.apply(vectors, items, entries, values, targets, buffer)
    return loss
