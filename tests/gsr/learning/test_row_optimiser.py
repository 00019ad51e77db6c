"""Item rows are moved as Adam would move them, and averaged as whole weights are."""

import numpy as np
import pytest
import torch
from torch import nn

from gsr.errors import SnapshotError
from gsr.learning.row_optimiser import RowOptimiser
from gsr.learning.weight_average import WeightAverage
from gsr.network.item_table import ItemTable

ROWS, WIDTH = 12, 4


@pytest.fixture
def table() -> ItemTable:
    """Return a few rows near 0."""
    table = ItemTable(WIDTH, torch.Generator().manual_seed(1))
    table.grow(ROWS)
    return table


def steps(table: ItemTable, optimiser: RowOptimiser, count: int, seed: int = 0) -> None:
    """Take steps on a few rows each along random gradients."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        rows = rng.choice(ROWS, rng.integers(1, 5), replace=False)
        optimiser.step(rows, torch.from_numpy(rng.normal(size=(len(rows), WIDTH))).float(), 0.03)


def test_rows_move_as_torch_moves_them(table: ItemTable) -> None:
    """It is `torch.optim.SparseAdam`."""
    expected = nn.Parameter(table.weight.clone())
    theirs, ours = torch.optim.SparseAdam([expected], lr=0.03), RowOptimiser(table)
    rng = np.random.default_rng(0)
    for step in range(1, 30):
        rows = np.sort(rng.permutation(ROWS)[: 1 + step % 5])
        gradient = torch.from_numpy(rng.normal(size=(len(rows), WIDTH))).float()
        expected.grad = torch.sparse_coo_tensor(
            torch.from_numpy(rows)[None], gradient, expected.shape, check_invariants=True
        )
        theirs.step()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        ours.step(rows, gradient, 0.03)
    torch.testing.assert_close(table.weight, expected.detach())


def test_other_rows_stand_still(table: ItemTable) -> None:
    """And so do their moments."""
    optimiser, before = RowOptimiser(table), table.weight.clone()
    optimiser.step(np.array([3, 7]), torch.ones(2, WIDTH), 0.1)
    changed = (table.weight != before).any(dim=1).nonzero()[:, 0]
    assert changed.tolist() == [3, 7]
    assert optimiser.moments()["first_moment"].any(dim=1).nonzero()[:, 0].tolist() == [3, 7]


def test_the_first_step_is_as_long_as_the_rate(table: ItemTable) -> None:
    """Adam's bias correction: the first step's root mean square is the rate."""
    optimiser, before = RowOptimiser(table), table.weight[3].clone()
    optimiser.step(np.array([3]), torch.tensor([[1.0, -2.0, 0.5, 3.0]]), 0.1)
    assert (table.weight[3] - before).square().mean().sqrt() == pytest.approx(0.1, rel=1e-4)


def test_it_goes_on_from_kept_moments(table: ItemTable) -> None:
    """Bit for bit."""
    optimiser, other = RowOptimiser(table), ItemTable(WIDTH, torch.Generator())
    steps(table, optimiser, 5)
    other.load(table.weight.clone(), table.generations)
    again = RowOptimiser(other)
    again.load_moments(optimiser.moments())
    again.steps = optimiser.steps
    for one, its in ((optimiser, table), (again, other)):
        steps(its, one, 5, seed=1)
    assert torch.equal(other.weight, table.weight)


def test_a_reused_row_begins_anew(table: ItemTable) -> None:
    """Its moments were those of another item."""
    optimiser, rows = RowOptimiser(table), torch.tensor([4])
    optimiser.step(rows.numpy(), torch.ones(1, WIDTH), 0.1)
    table.renew(rows)
    table.seed(rows, torch.zeros(1, WIDTH))
    assert not optimiser.moments()["first_moment"][4].any()


def test_moments_of_another_table_are_refused(table: ItemTable) -> None:
    """More rows, or another width, cannot be this table's."""
    optimiser = RowOptimiser(table)
    moments = optimiser.moments()
    moments["first_moment"] = moments["first_moment"][:, :2]
    with pytest.raises(SnapshotError, match="the table has"):
        optimiser.load_moments(moments)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.95, 0.999])
def test_rows_are_averaged_as_whole_weights_are(table: ItemTable, decay: float) -> None:
    """Whichever rows a step touches, and however long others stand still."""
    optimiser = RowOptimiser(table, decay)
    whole = WeightAverage([table.weight], decay)
    for step in range(1, 200):
        steps(table, optimiser, 1, seed=step)
        whole.follow(step)
        if step % 50 == 0:
            optimiser.catch_up()
            torch.testing.assert_close(optimiser.averages, whole.values[0], rtol=1e-4, atol=1e-4)


def test_it_goes_on_from_given_averages(table: ItemTable) -> None:
    """They are taken for those after all steps so far: another step moves them by its share."""
    optimiser = RowOptimiser(table, 0.9)
    optimiser.steps = 1000
    optimiser.load_averages(torch.ones(ROWS, WIDTH))
    optimiser.step(np.array([0]), torch.zeros(1, WIDTH), 0.1)
    optimiser.catch_up()
    torch.testing.assert_close(optimiser.averages, 0.9 + 0.1 * table.weight)
