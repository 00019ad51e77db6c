"""The growing table of item embeddings, with its own row-wise optimiser.

A learning step gathers the few rows that it needs, and writes back only these: its cost does not
depend on how many items there are.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.errors import SnapshotError

FIRST_CAPACITY = 1024
FIRST_MOMENT = 0.9
SECOND_MOMENT = 0.99
EPSILON = 1e-8


class ItemTable:
    """Item embeddings E in rows that grow, are reused, and can be rolled back.

    The optimiser is Adam with one second moment per row (the mean over its columns), as in
    Facebook's `FBGEMM <https://docs.pytorch.org/FBGEMM/>`_ "partial row-wise Adam", but never below
    what is usual for all rows; moments of rows that a step does not touch stand still.

    Parameters
    ----------
    dimension
        Columns d.
    generator
        Draws first values.

    Attributes
    ----------
    noise
        Standard deviation of a new row around its seed.
    """

    noise = 0.02

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        self.dimension = dimension
        self._generator = generator
        self._rows = 0
        self._weight = torch.zeros(FIRST_CAPACITY, dimension)
        self._first = torch.zeros(FIRST_CAPACITY, dimension)
        self._second = torch.zeros(FIRST_CAPACITY)
        self._steps = torch.zeros(FIRST_CAPACITY, dtype=torch.int32)
        self._generations = torch.zeros(FIRST_CAPACITY, dtype=torch.int64)
        self._usual = torch.zeros(())
        self._taken = torch.zeros((), dtype=torch.int64)
        self._saved = torch.zeros(FIRST_CAPACITY, dtype=torch.bool)
        self._undo: list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]] | None = None
        self._before = (self._usual, self._taken)

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
        """Start `rows` at `values` [len(rows), d] plus noise, with fresh optimiser state."""
        self._save(rows)
        self._start(rows, values)

    def renew(self, rows: Tensor) -> None:
        """Mark `rows` as standing for other items from now on; seed them next."""
        self._generations[rows] += 1

    def to(self, device: torch.device) -> None:
        """Move all rows and their optimiser state to a device; nothing must be begun."""
        self.commit()
        for name in (
            *("_weight", "_first", "_second", "_steps"),
            *("_generations", "_usual", "_taken", "_saved"),
        ):
            setattr(self, name, getattr(self, name).to(device))

    def gather(self, rows: Tensor) -> Tensor:
        """Return a copy of distinct `rows` that gradients can flow into, [len(rows), d]."""
        return self._weight[rows].requires_grad_()

    def step(self, rows: Tensor, gradient: Tensor, rate: float) -> None:
        """Move distinct `rows` against `gradient` [len(rows), d] by one step of size `rate`.

        Rows whose gradient is all zero are left alone.
        """
        moved = gradient.abs().amax(dim=1) > 0
        rows, gradient = rows[moved], gradient[moved]
        self._save(rows)
        steps = self._steps[rows] + 1
        first = torch.lerp(gradient, self._first[rows], FIRST_MOMENT)
        square = gradient.square().mean(dim=1)
        second = torch.lerp(square, self._second[rows], SECOND_MOMENT)
        first_bias = 1.0 - FIRST_MOMENT**steps
        second_bias = 1.0 - SECOND_MOMENT**steps
        # Without the floor, a row that is only ever a far-off negative would be normalised to
        # full steps along its tiny gradients.
        spread = (second / second_bias).clamp(min=self._usual_square(square))
        scale = rate / first_bias / (spread.sqrt() + EPSILON)
        self._weight[rows] -= scale[:, None] * first
        self._first[rows] = first
        self._second[rows] = second
        self._steps[rows] = steps

    def begin(self) -> None:
        """Remember every row that changes from now on, until `commit` or `rollback`."""
        self.commit()
        self._undo = []
        self._before = (self._usual.clone(), self._taken.clone())

    def commit(self) -> None:
        """Keep what changed since `begin`."""
        for rows, *_ in self._undo or ():
            self._saved[rows] = False
        self._undo = None

    def rollback(self) -> None:
        """Put back every row as it was at `begin`; rows that are new since then stay."""
        if self._undo is not None:
            self._usual, self._taken = self._before
        for rows, weight, first, second, steps in self._undo or ():
            self._weight[rows] = weight
            self._first[rows] = first
            self._second[rows] = second
            self._steps[rows] = steps
        self.commit()

    def moments(self) -> dict[str, Tensor]:
        """Return copies of the optimiser's state, N rows each."""
        n = self._rows
        return {
            "first_moment": self._first[:n].clone(),
            "second_moment": self._second[:n].clone(),
            "steps": self._steps[:n].clone(),
            "usual_square": self._usual.clone(),
            "steps_taken": self._taken.clone(),
        }

    def load(self, weight: Tensor, generations: Tensor) -> None:
        """Take over rows [N, d] and their generations [N]; the optimiser starts afresh."""
        n = len(weight)
        self.commit()
        self._rows = 0
        self._reserve(max(n, FIRST_CAPACITY))
        self._rows = n
        self._weight[:n] = weight
        self._generations[:n] = generations

    def load_moments(self, moments: dict[str, Tensor]) -> None:
        """Take over what `moments` returned.

        Raises
        ------
        SnapshotError
            It is for more rows than there are, or for another width.
        """
        n = len(moments["steps"])
        if n > self._rows or moments["first_moment"].shape[1:] != (self.dimension,):
            msg = f"optimiser state is of {tuple(moments['first_moment'].shape)} item values, the "
            raise SnapshotError(msg + f"table has {(self._rows, self.dimension)}")
        self._first[:n] = moments["first_moment"]
        self._second[:n] = moments["second_moment"]
        self._steps[:n] = moments["steps"]
        self._usual = moments["usual_square"].clone()
        self._taken = moments["steps_taken"].clone()

    def _usual_square(self, square: Tensor) -> float:
        """Return the running mean of all rows' mean squared gradients, this step's included."""
        if len(square):
            self._usual = torch.lerp(square.mean(), self._usual, SECOND_MOMENT)
            self._taken = self._taken + 1
        return float(self._usual) / (1.0 - SECOND_MOMENT ** max(int(self._taken), 1))

    def _start(self, rows: Tensor, values: Tensor) -> None:
        # Drawn where the generator is, so that a seed means the same values on every device.
        noise = torch.randn(values.shape, generator=self._generator).to(values.device)
        self._weight[rows] = values + self.noise * noise
        self._first[rows] = 0.0
        self._second[rows] = 0.0
        self._steps[rows] = 0

    def _save(self, rows: Tensor) -> None:
        if self._undo is None:
            return
        rows = rows[~self._saved[rows]]
        self._saved[rows] = True
        self._undo.append(
            (rows, self._weight[rows], self._first[rows], self._second[rows], self._steps[rows])
        )

    def _reserve(self, capacity: int) -> None:
        def larger(old: Tensor) -> Tensor:
            new = old.new_zeros(capacity, *old.shape[1:])
            new[: self._rows] = old[: self._rows]
            return new

        self._weight = larger(self._weight)
        self._first = larger(self._first)
        self._second = larger(self._second)
        self._steps = larger(self._steps)
        self._generations = larger(self._generations)
        self._saved = larger(self._saved)


def as_rows(rows: npt.NDArray[np.int64] | range) -> Tensor:
    """Return row numbers as a tensor that can index the table."""
    return torch.as_tensor(np.asarray(rows, dtype=np.int64))
