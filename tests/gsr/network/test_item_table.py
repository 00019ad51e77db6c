"""The growing item table."""

import pytest
import torch

from gsr.network.item_table import ItemTable


@pytest.fixture
def table() -> ItemTable:
    """Ten rows of four, with a column of two more numbers each, all of which are 1."""
    table = ItemTable(4, torch.Generator().manual_seed(1))
    table.grow(10)
    table.add_column("more", 2)
    table.column("more").fill_(1.0)
    return table


def test_growth_keeps_old_rows(table: ItemTable) -> None:
    """Also across a new allocation; columns of new rows are zero."""
    before = table.weight.clone()
    assert table.grow(5000) == range(10, 5000)
    assert torch.equal(table.weight[:10], before)
    assert table.column("more").sum(dim=1).tolist() == [2.0] * 10 + [0.0] * 4990
    assert table.grow(7) == range(5000, 5000)


def test_a_reused_row_starts_afresh(table: ItemTable) -> None:
    """Its generation counts up and its columns are cleared."""
    rows = torch.tensor([4])
    table.renew(rows)
    table.seed(rows, torch.full((1, 4), 2.0))
    assert table.generations.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert table.weight[4].mean() == pytest.approx(2.0, abs=0.1)
    assert table.column("more")[:, 0].tolist() == [1.0] * 4 + [0.0] + [1.0] * 5


def test_loaded_rows_have_empty_columns(table: ItemTable) -> None:
    """What an optimiser remembered was of other values."""
    table.load(torch.full((3, 4), 7.0), torch.tensor([0, 2, 0]))
    assert (table.weight == 7.0).all()
    assert table.generations.tolist() == [0, 2, 0]
    assert not table.column("more").any()


def test_gradients_flow_into_a_copy(table: ItemTable) -> None:
    before = table.weight.clone()
    rows = table.gather(torch.tensor([3, 1]))
    loss = (rows * torch.tensor([[2.0], [5.0]])).sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert rows.grad is not None
    assert rows.grad[:, 0].tolist() == [2.0, 5.0]
    assert torch.equal(table.weight, before)
