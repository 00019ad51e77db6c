"""Averages of rows that are made up for late are those that were followed all the time."""

import numpy as np
import pytest
import torch

from gsr.learning.row_average import RowAverage
from gsr.learning.weight_average import WeightAverage

ROWS = 9


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.95, 0.999])
def test_rows_are_averaged_as_whole_weights_are(decay: float) -> None:
    """Whichever rows a step touches, and however long others stand still."""
    rng = np.random.default_rng(4)
    table = torch.from_numpy(rng.normal(size=(ROWS, 3)).astype(np.float32))
    whole, by_row = WeightAverage([table], decay), RowAverage(table, decay)
    for step in range(1, 200):
        rows = rng.choice(ROWS, rng.integers(1, 4), replace=False)
        by_row.catch_up(step - 1, rows)
        table[rows] += 1.0
        whole.follow(step)
        if step % 50 == 0:
            by_row.catch_up(step)
            torch.testing.assert_close(by_row.values, whole.values[0], rtol=1e-4, atol=1e-4)


def test_it_goes_on_from_given_averages() -> None:
    table = torch.zeros(ROWS, 2)
    average = RowAverage(table, 0.9)
    average.load(torch.ones(ROWS, 2), 1000)
    average.catch_up(1001)
    torch.testing.assert_close(average.values, torch.full((ROWS, 2), 0.9))
