"""Inner products of user vectors with each user's own candidates, without copying the items.

Gathering B * M item vectors, multiplying and scattering their gradients back costs several times
what the arithmetic does. One compiled pass per direction does it in place.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.compiled import relaxed_kernel

Floats = npt.NDArray[np.float32]


@relaxed_kernel
def _scores(items: Floats, vectors: Floats, places: npt.NDArray[np.int64], out: Floats) -> None:
    users, dimension = vectors.shape
    for b in range(users):
        for m in range(places.shape[1]):
            place = places[b, m]
            total = np.float32(0.0)
            if place >= 0:
                for k in range(dimension):
                    total += items[place, k] * vectors[b, k]
            out[b, m] = total


@relaxed_kernel
def _gradients(
    items: Floats,
    vectors: Floats,
    places: npt.NDArray[np.int64],
    gradient: Floats,
    to_items: Floats,
    to_vectors: Floats,
) -> None:
    users, dimension = vectors.shape
    for b in range(users):
        for m in range(places.shape[1]):
            place, g = places[b, m], gradient[b, m]
            if place < 0 or g == 0.0:
                continue
            for k in range(dimension):
                to_items[place, k] += g * vectors[b, k]
            for k in range(dimension):
                to_vectors[b, k] += g * items[place, k]


class _CandidateScores(torch.autograd.Function):
    """The compiled passes as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, items: Tensor, vectors: Tensor, places: Tensor) -> Tensor:
        """Return scores [B, M]."""
        items, vectors = items.contiguous(), vectors.contiguous()
        ctx.save_for_backward(items, vectors, places)
        out = np.empty(places.shape, np.float32)
        _scores(items.detach().numpy(), vectors.detach().numpy(), places.numpy(), out)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of items and vectors."""
        items, vectors, places = ctx.saved_tensors
        to_items, to_vectors = torch.zeros_like(items), torch.zeros_like(vectors)
        _gradients(
            items.detach().numpy(),
            vectors.detach().numpy(),
            places.numpy(),
            gradients[0].contiguous().numpy(),
            to_items.numpy(),
            to_vectors.numpy(),
        )
        return to_items, to_vectors, None


def candidate_scores(items: Tensor, vectors: Tensor, places: Tensor) -> Tensor:
    """Return ``items[places[b, m]] · vectors[b]`` as [B, M]; 0 where the place is -1.

    Parameters
    ----------
    items
        float32 [R, d], on the processor, as is all else.
    vectors
        float32 [B, d].
    places
        int64 [B, M].
    """
    found: Tensor = _CandidateScores.apply(items, vectors, places)
    return found
