"""How the linear score learns: gradients of all candidates are noted, and steps taken by them."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Adam, Floats
from gsr.ranker.candidates import Described
from gsr.ranker.linear_score import NO_NEW_ITEMS, add_gradient
from gsr.ranker.model import (
    COLD_WEIGHTS,
    FEW_CLICKS,
    FEW_WEIGHTS,
    KINDS,
    MANY_CLICKS,
    NO_CLICKS,
    WEIGHTS,
    RankerModel,
)

LINEAR_STEPS: Final = 4
"""Steps of the linear score in one cycle, at most: each is by the weights before the cycle."""

LINEAR_EXAMPLES: Final = 100
"""Clicks of one step of the linear score, at least."""

OWN_EXAMPLES: Final = 30
"""Clicks of one step of the weights of users with few clicks, at least: they may be rare, and a
step by one or two of them would be mostly noise. Users without clicks do not wait so: their weights
begin with popularity alone, and have more to gain by early steps than to lose by noise."""

MOST_GRADIENTS: Final = 1000
"""Gradients of the linear score that wait for a cycle, at most; then the newest are joined."""

_OWN: Final = ((FEW_WEIGHTS, FEW_CLICKS, OWN_EXAMPLES), (COLD_WEIGHTS, NO_CLICKS, 1))
"""Rows of weights that clicks of one kind of users alone teach, and clicks of a step, at least."""


class _Gradient(NamedTuple):
    """What clicks say of the weights.

    Parameters
    ----------
    sums
        float32 [4, F], sums over the clicks.
    clicks
        int64 [3], of how many clicks of each kind of users.
    """

    sums: Floats
    clicks: npt.NDArray[np.int64]


class LinearSteps:
    """The optimiser of a model's linear score.

    Parameters
    ----------
    model
        Its linear score is moved in place.
    rate
        Learning rate.
    """

    def __init__(self, model: RankerModel, rate: float) -> None:
        self._model = model
        shared = model.linear[:FEW_WEIGHTS]
        self._adams = [Adam([shared], rate)]
        self._adams += [Adam([model.linear[row : row + 1]], rate) for row, _, _ in _OWN]
        self._noted: list[_Gradient] = []
        self._rare = self._nothing()

    @property
    def noted(self) -> tuple[int, int]:
        """How many gradients wait, and of how many clicks."""
        return len(self._noted), sum(int(one.clicks.sum()) for one in self._noted)

    def note_described(
        self, described: Described, linear: Floats, kinds: npt.NDArray[np.int8]
    ) -> None:
        """Note what described clicks say, once the model has chosen among their candidates.

        Parameters
        ----------
        described
            Of n clicks.
        linear, kinds
            See `note`.
        """
        n = len(kinds)
        starts = described.starts[: n + 1]
        self.note(described.values[: starts[n]], linear, starts, described.targets[:n], kinds)

    def note(
        self,
        values: Floats,
        linear: Floats,
        starts: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
        kinds: npt.NDArray[np.int8],
    ) -> None:
        """Note what clicks with all their candidates say.

        Parameters
        ----------
        values, linear
            float32 [rows, F] and [rows]: counted features and linear scores, which are overwritten.
        starts, targets
            int64 [n + 1] and [n]: click i has the rows ``starts[i] : starts[i + 1]``, and its
            item stands in row ``targets[i]``, -1 for nowhere.
        kinds
            int8 [n], of their users (`gsr.ranker.model.kinds_of`).
        """
        found = targets >= 0
        if not found.any():  # or a stream of unknown items would fill the memory
            return
        sums = np.zeros_like(self._model.linear)
        new = self._model.new_items
        for kind in (MANY_CLICKS, FEW_CLICKS):
            shared = np.zeros_like(sums[:FEW_WEIGHTS])
            which = found & (kinds == kind)
            add_gradient(values, linear, starts, targets, which, new, shared.reshape(-1))
            sums[:FEW_WEIGHTS] += shared
            if kind == FEW_CLICKS:
                sums[FEW_WEIGHTS] = shared[WEIGHTS]
        cold = found & (kinds == NO_CLICKS)
        add_gradient(values, linear, starts, targets, cold, NO_NEW_ITEMS, sums[COLD_WEIGHTS])
        self._noted.append(_Gradient(sums, np.bincount(kinds[found], minlength=len(KINDS))))
        if len(self._noted) > MOST_GRADIENTS:  # where nothing else comes to be learned
            self._noted[-2:] = [_sum(self._noted[-2:])]

    def forget(self) -> None:
        """Forget what was noted."""
        self._noted = []
        self._rare = self._nothing()

    def take(self) -> None:
        """Take the steps of a cycle by what was noted, and forget it."""
        waiting, count = self.noted
        if count:
            steps = min(max(count // LINEAR_EXAMPLES, 1), LINEAR_STEPS)
            for some in np.array_split(np.arange(waiting), steps):
                if len(some):
                    self._step(_sum([self._noted[i] for i in some.tolist()]))
        self._noted = []

    def _step(self, gradient: _Gradient) -> None:
        """Take a step by a gradient; of the weights of rare users once there are enough clicks."""
        inverses = self._model.scaling.inverses
        first, *others = self._adams
        shared = int(gradient.clicks[[FEW_CLICKS, MANY_CLICKS]].sum())
        if shared:
            first.step([gradient.sums[:FEW_WEIGHTS] * inverses / np.float32(shared)])
        rare = self._rare
        for adam, (row, kind, least) in zip(others, _OWN, strict=True):
            rare.sums[row] += gradient.sums[row]
            rare.clicks[kind] += gradient.clicks[kind]
            clicks = int(rare.clicks[kind])
            if clicks >= least:
                adam.step([rare.sums[row : row + 1] * inverses / np.float32(clicks)])
                rare.sums[row] = 0.0
                rare.clicks[kind] = 0

    def optimiser_arrays(self) -> list[npt.NDArray[Any]]:
        """Return copies of the weights and of the moving averages of their gradients."""
        return [array for adam in self._adams for array in adam.arrays()]

    def load_optimiser(self, arrays: list[npt.NDArray[Any]]) -> None:
        """Go on from what `optimiser_arrays` returned."""
        each = len(arrays) // len(self._adams)
        for number, adam in enumerate(self._adams):
            adam.load(arrays[number * each : (number + 1) * each])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what waits: for a cycle, and for more clicks of rare users."""
        waiting = [self._rare, *self._noted]
        return {
            "gradients": np.stack([one.sums for one in waiting]),
            "gradient_clicks": np.stack([one.clicks for one in waiting]),
        }

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Let wait what `arrays` returned, which may stand among others."""
        pairs = zip(arrays["gradients"], arrays["gradient_clicks"], strict=True)
        self._rare, *self._noted = [_Gradient(sums.copy(), n.copy()) for sums, n in pairs]

    def _nothing(self) -> _Gradient:
        return _Gradient(np.zeros_like(self._model.linear), np.zeros(len(KINDS), dtype=np.int64))


def _sum(gradients: Sequence[_Gradient]) -> _Gradient:
    """Return what several say together."""
    sums: Floats = np.stack([one.sums for one in gradients]).sum(axis=0)
    return _Gradient(sums, np.sum([one.clicks for one in gradients], axis=0))
