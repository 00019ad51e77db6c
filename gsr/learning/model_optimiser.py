"""Optimiser of a whole model: network and item rows."""

import functools
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gsr.errors import SnapshotError, TrainingError
from gsr.learning.row_optimiser import RowOptimiser

ADAM: Final = "adam"
"""What the names of AdamW's moments begin with where they are kept."""

MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")


class ModelOptimiser:
    """AdamW on a network's parameters and `RowOptimiser` on item rows.

    Parameters
    ----------
    parameters
        By name; changed in place.
    rows
        Moves the item rows.
    weight_decay
        Decoupled decay of the parameters.
    gradient_norm
        Clip of the global norm of the parameters' gradients.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        rows: RowOptimiser,
        *,
        weight_decay: float,
        gradient_norm: float,
    ) -> None:
        self.rows = rows
        self._parameters = dict(parameters)
        self._weight_decay = weight_decay
        self._gradient_norm = gradient_norm

    @functools.cached_property
    def _adam(self) -> torch.optim.AdamW:
        return torch.optim.AdamW(
            self._parameters.values(), weight_decay=self._weight_decay, fused=True
        )

    def step(
        self,
        loss: Tensor,
        rows: npt.NDArray[np.int64],
        values: Tensor,
        *,
        rate: float,
        row_rate: float,
    ) -> int:
        """Move everything against the gradient of a loss; return how many rows had one.

        Parameters
        ----------
        loss
            A single number.
        rows
            int64 [m], the distinct item rows that took part.
        values
            [m, d], the copy of them that the loss was made from (`ItemTable.gather`).
        rate, row_rate
            Step sizes of the parameters and of the rows.

        Raises
        ------
        TrainingError
            Loss or gradient is not finite; nothing was changed.
        """
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(self._parameters.values(), self._gradient_norm)
        gradient = values.grad
        finite = torch.isfinite(loss) and torch.isfinite(norm)
        if not (finite and (gradient is None or torch.isfinite(gradient).all())):
            raise TrainingError(
                f"the loss became {loss.item()} with a gradient norm of {norm.item()}: lower the "
                "learning rate"
            )
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        if gradient is None:
            return 0
        self.rows.step(rows, gradient, row_rate)
        return len(rows)

    def moments(self) -> dict[str, Tensor]:
        """Return copies of AdamW's moments, named ``adam.PARAMETER.MOMENT``."""
        return {
            f"{ADAM}.{name}.{moment}": value.clone()
            for name, parameter in self._parameters.items()
            for moment, value in self._adam.state.get(parameter, {}).items()
        }

    def load_moments(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `moments` returned; other tensors may stand among them.

        Raises
        ------
        SnapshotError
            A moment has another shape than its weight.
        """
        for name, parameter in self._parameters.items():
            state = {
                moment: tensors[f"{ADAM}.{name}.{moment}"].to(parameter.device, copy=True)
                for moment in MOMENTS
                if f"{ADAM}.{name}.{moment}" in tensors
            }
            if state and state["exp_avg"].shape != parameter.shape:
                raise SnapshotError(
                    f"optimiser state of {name} has shape {tuple(state['exp_avg'].shape)}, not "
                    f"{tuple(parameter.shape)}: it is of another model"
                )
            if state:
                self._adam.state[parameter] = state
