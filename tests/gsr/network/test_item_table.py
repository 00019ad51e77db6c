"""The growing item table."""

import pytest
import torch

from gsr.errors import SnapshotError
from gsr.network.item_table import ItemTable


@pytest.fixture
def table() -> ItemTable:
    """Ten rows of four."""
    table = ItemTable(4, torch.Generator().manual_seed(1))
    table.grow(10)
    return table


def test_growth_keeps_old_rows(table: ItemTable) -> None:
    """Also across a new allocation."""
    before = table.weight.clone()
    assert table.grow(5000) == range(10, 5000)
    assert torch.equal(table.weight[:10], before)
    assert table.grow(7) == range(5000, 5000)


def test_a_step_touches_only_its_rows(table: ItemTable) -> None:
    """Other rows and their moments stand still; so does a row without gradient."""
    before = table.weight.clone()
    gradient = torch.ones(3, 4)
    gradient[2] = 0.0
    table.step(torch.tensor([2, 7, 8]), gradient, 0.1)
    changed = (table.weight != before).any(dim=1).nonzero()[:, 0]
    assert changed.tolist() == [2, 7]
    assert table.moments()["steps"].nonzero()[:, 0].tolist() == [2, 7]


def test_the_first_step_is_as_long_as_the_rate(table: ItemTable) -> None:
    """Adam's bias correction: the first step's root mean square is the rate."""
    before = table.weight[3].clone()
    table.step(torch.tensor([3]), torch.tensor([[1.0, -2.0, 0.5, 3.0]]), 0.1)
    assert (table.weight[3] - before).square().mean().sqrt() == pytest.approx(0.1, rel=1e-4)


def test_rollback_restores_rows_and_moments(table: ItemTable) -> None:
    """Several steps on one row go back to the first value."""
    table.step(torch.tensor([1]), torch.ones(1, 4), 0.1)
    weight, moments = table.weight.clone(), table.moments()
    table.begin()
    table.step(torch.tensor([1, 2]), torch.ones(2, 4), 0.1)
    table.step(torch.tensor([2, 1]), torch.ones(2, 4), 0.1)
    table.rollback()
    assert torch.equal(table.weight, weight)
    assert all(torch.equal(table.moments()[name], value) for name, value in moments.items())


def test_commit_forgets_the_way_back(table: ItemTable) -> None:
    """A rollback after a commit changes nothing."""
    table.begin()
    table.step(torch.tensor([1]), torch.ones(1, 4), 0.1)
    weight = table.weight.clone()
    table.commit()
    table.rollback()
    assert torch.equal(table.weight, weight)


def test_a_reused_row_starts_afresh(table: ItemTable) -> None:
    """Its generation counts up and its optimiser state is cleared."""
    rows = torch.tensor([4])
    table.step(rows, torch.ones(1, 4), 0.1)
    table.renew(rows)
    table.seed(rows, torch.full((1, 4), 2.0))
    assert table.generations.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert table.weight[4].mean() == pytest.approx(2.0, abs=0.1)
    assert table.moments()["steps"][4] == 0


def test_moments_of_another_table_are_refused(table: ItemTable) -> None:
    """More rows, or another width, cannot be this table's."""
    moments = table.moments()
    moments["first_moment"] = moments["first_moment"][:, :2]
    with pytest.raises(SnapshotError, match="the table has"):
        table.load_moments(moments)
