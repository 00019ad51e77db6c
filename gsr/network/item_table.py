"""The growing table of item embeddings.

A learning step gathers the few rows that it needs, and writes back only these: its cost does not
depend on how many items there are.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

FIRST_CAPACITY: Final = 1024
NOISE: Final = 0.02
"""Standard deviation of a new row around its seed."""


class ItemTable:
    """Item embeddings E in rows that grow and are reused.

    What an optimiser remembers of each row stands in columns beside the values (`add_column`), so
    it grows with them and starts afresh with them.

    Parameters
    ----------
    dimension
        Columns d.
    generator
        Draws first values.
    """

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        self.dimension = dimension
        self._generator = generator
        self._rows = 0
        self._weight = torch.zeros(FIRST_CAPACITY, dimension)
        self._generations = torch.zeros(FIRST_CAPACITY, dtype=torch.int64)
        self._columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self._rows

    @property
    def weight(self) -> Tensor:
        """Every row's values, float32 [N, d]; a view."""
        return self._weight[: self._rows]

    @property
    def generations(self) -> Tensor:
        """How often each row has changed its item, int64 [N]; a view."""
        return self._generations[: self._rows]

    def add_column(self, name: str, width: int | None, dtype: torch.dtype = torch.float32) -> None:
        """Keep `width` more numbers of every row, or a single one (None); zero in new rows.

        A column of that name, from an optimiser before, is replaced.
        """
        shape = (len(self._weight),) if width is None else (len(self._weight), width)
        self._columns[name] = torch.zeros(shape, dtype=dtype, device=self._weight.device)

    def column(self, name: str) -> Tensor:
        """Return every row of a column, [N] or [N, width]; a view."""
        return self._columns[name][: self._rows]

    def grow(self, rows: int) -> range:
        """Add rows (zero plus noise) until there are `rows`; return which are new."""
        old = self._rows
        if rows <= old:
            return range(old, old)
        if rows > len(self._weight):
            self._reserve(max(rows, 2 * len(self._weight)))
        self._rows = rows
        new = torch.arange(old, rows)
        self._start(new, torch.zeros(len(new), self.dimension))
        return range(old, rows)

    def seed(self, rows: Tensor, values: Tensor) -> None:
        """Start `rows` at `values` [len(rows), d] plus noise; their columns start at zero."""
        self._start(rows, values)

    def renew(self, rows: Tensor) -> None:
        """Mark `rows` as standing for other items from now on; seed them next."""
        self._generations[rows] += 1

    def to(self, device: torch.device) -> None:
        """Move all rows and their columns to a device."""
        self._weight = self._weight.to(device)
        self._generations = self._generations.to(device)
        self._columns = {name: column.to(device) for name, column in self._columns.items()}

    def gather(self, rows: Tensor) -> Tensor:
        """Return a copy of distinct `rows` that gradients can flow into, [len(rows), d]."""
        return self._weight[rows].requires_grad_()

    def load(self, weight: Tensor, generations: Tensor) -> None:
        """Take over rows [N, d] and their generations [N]; columns start at zero."""
        n = len(weight)
        self._rows = 0
        self._reserve(max(n, FIRST_CAPACITY))
        self._rows = n
        self._weight[:n] = weight
        self._generations[:n] = generations

    def _start(self, rows: Tensor, values: Tensor) -> None:
        # Drawn where the generator is, so that a seed means the same values on every device.
        noise = torch.randn(values.shape, generator=self._generator).to(values.device)
        self._weight[rows] = values + NOISE * noise
        for column in self._columns.values():
            column[rows] = 0

    def _reserve(self, capacity: int) -> None:
        def larger(old: Tensor) -> Tensor:
            new = old.new_zeros(capacity, *old.shape[1:])
            new[: self._rows] = old[: self._rows]
            return new

        self._weight = larger(self._weight)
        self._generations = larger(self._generations)
        self._columns = {name: larger(column) for name, column in self._columns.items()}


def as_rows(rows: npt.NDArray[np.int64] | range) -> Tensor:
    """Return row numbers as a tensor that can index the table."""
    return torch.as_tensor(np.asarray(rows, dtype=np.int64))
