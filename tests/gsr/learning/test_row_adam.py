"""Rows are moved as torch's own lazy Adam moves them."""

import torch
from torch import nn

from gsr.learning.row_adam import RowAdam

ROWS, WIDTH = 12, 4


def test_it_moves_rows_as_torch_does() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(ROWS, WIDTH, generator=generator)
    expected = nn.Parameter(weight.clone())
    theirs, ours = torch.optim.SparseAdam([expected], lr=0.03), RowAdam(weight)
    for step in range(1, 30):
        rows = torch.randperm(ROWS, generator=generator)[: 1 + step % 5].sort().values
        gradient = torch.randn(len(rows), WIDTH, generator=generator)
        expected.grad = torch.sparse_coo_tensor(
            rows[None], gradient, expected.shape, check_invariants=True
        )
        theirs.step()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        ours.step(rows, gradient, 0.03, step)
    torch.testing.assert_close(weight, expected.detach())


def test_rows_that_take_no_part_stand_still() -> None:
    weight = torch.ones(ROWS, WIDTH)
    adam = RowAdam(weight)
    adam.step(torch.tensor([3, 7]), torch.ones(2, WIDTH), 0.1, 1)
    still = torch.ones(ROWS, dtype=torch.bool)
    still[[3, 7]] = False
    assert (weight[still] == 1.0).all()
    assert (weight[~still] < 1.0).all()


def test_it_goes_on_from_kept_moments() -> None:
    weight, rows, gradient = torch.zeros(ROWS, WIDTH), torch.tensor([1]), torch.ones(1, WIDTH)
    first = RowAdam(weight)
    first.step(rows, gradient, 0.1, 1)
    other = weight.clone()
    second = RowAdam(other)
    second.load(first.moments())
    first.step(rows, -gradient, 0.1, 2)
    second.step(rows, -gradient, 0.1, 2)
    torch.testing.assert_close(other, weight, rtol=0.0, atol=0.0)
