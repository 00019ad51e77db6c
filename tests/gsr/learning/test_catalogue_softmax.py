"""The fused loss and its gradients are those of the plain formula."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from gsr.learning import catalogue_softmax
from gsr.learning.catalogue_softmax import ScoreBuffer, catalogue_loss


@pytest.mark.parametrize("block_rows", [1, 3, 100])
def test_loss_and_gradients_are_exact(block_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of the blocks, with and without additions in a row."""
    monkeypatch.setattr(catalogue_softmax, "FEWEST_ROWS", block_rows)
    monkeypatch.setattr(catalogue_softmax, "BUFFER_BYTES", 0)
    generator = torch.Generator().manual_seed(5)
    rows, items, d = 7, 11, 4
    vectors = torch.randn(rows, d, generator=generator, requires_grad=True)
    table = torch.randn(items, d, generator=generator, requires_grad=True)
    entries = np.array([0, 5, 12, 3 * items + 2, 6 * items + 10])
    values = torch.randn(len(entries), generator=generator)
    targets = torch.tensor([5, 1, 0, 2, 2, 9, 10])

    offsets = torch.randn(items, generator=generator)
    loss = catalogue_loss(vectors, table, entries, values, targets, ScoreBuffer(), offsets)
    found = torch.autograd.grad(2.0 * loss, (vectors, table))

    scores = (vectors @ table.T + offsets).flatten()
    scores = scores.index_add(0, torch.from_numpy(entries), values)
    scores = scores.view(rows, items)
    plain = functional.cross_entropy(scores, targets)
    expected = torch.autograd.grad(2.0 * plain, (vectors, table))
    torch.testing.assert_close(loss, plain)
    for mine, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, reference)


def test_a_buffer_grows_and_is_used_again() -> None:
    buffer, like = ScoreBuffer(), torch.zeros(1)
    first = buffer.rows(4, 5, like)
    assert buffer.rows(2, 3, like).data_ptr() == first.data_ptr()
    assert buffer.rows(40, 50, like).shape == (40, 50)
