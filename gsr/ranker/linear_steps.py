"""How the linear score learns: gradients of all candidates are noted, and steps taken by them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Adam, Floats
from gsr.ranker.linear_score import NO_NEW_ITEMS, add_gradient
from gsr.ranker.model import COLD_WEIGHTS, RankerModel

LINEAR_STEPS: Final = 4
"""Steps of the linear score in one cycle, at most: each is by the weights before the cycle."""

LINEAR_EXAMPLES: Final = 100
"""Clicks of one step of the linear score, at least."""

MOST_GRADIENTS: Final = 1000
"""Gradients of the linear score that wait for a cycle, at most; then the newest are joined."""


class LinearSteps:
    """The optimiser of a model's linear score.

    Parameters
    ----------
    model
        Its linear score is moved in place.
    rate
        Learning rate.

    Attributes
    ----------
    adam
        Of the weights.
    """

    def __init__(self, model: RankerModel, rate: float) -> None:
        self._model = model
        self.adam = Adam([model.linear], rate)
        self._noted: list[tuple[Floats, int]] = []  # gradients, and of how many clicks each is

    @property
    def noted(self) -> tuple[int, int]:
        """How many gradients wait, and of how many clicks."""
        return len(self._noted), sum(count for _, count in self._noted)

    def note(
        self,
        values: Floats,
        linear: Floats,
        starts: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
        cold: npt.NDArray[np.bool_],
    ) -> None:
        """Note what clicks with all their candidates say.

        Parameters
        ----------
        values, linear
            float32 [rows, F] and [rows]: counted features and linear scores, which are overwritten.
        starts, targets
            int64 [n + 1] and [n]: click i has the rows ``starts[i] : starts[i + 1]``, and its
            item stands in row ``targets[i]``, -1 for nowhere.
        cold
            bool [n], clicks of users who had none before.
        """
        found = targets >= 0
        if not found.any():  # or a stream of unknown items would fill the memory
            return
        gradient = np.zeros_like(self._model.linear)
        flat, two = gradient.reshape(-1), COLD_WEIGHTS * self._model.counted
        new = self._model.new_items
        add_gradient(values, linear, starts, targets, found & ~cold, new, flat[:two])
        add_gradient(values, linear, starts, targets, found & cold, NO_NEW_ITEMS, flat[two:])
        self._noted.append((gradient, int(found.sum())))
        if len(self._noted) > MOST_GRADIENTS:  # where nothing else comes to be learned
            (one, some), (other, more) = self._noted[-2:]
            self._noted[-2:] = [(one + other, some + more)]

    def forget(self) -> None:
        """Forget what was noted."""
        self._noted = []

    def take(self) -> None:
        """Take the steps of a cycle by what was noted, and forget it."""
        count = self.noted[1]
        if count:
            steps = min(max(count // LINEAR_EXAMPLES, 1), LINEAR_STEPS)
            for some in np.array_split(np.arange(len(self._noted)), steps):
                noted = [self._noted[i] for i in some.tolist()]
                examples = sum(n for _, n in noted)
                if examples:
                    total = np.sum([gradient for gradient, _ in noted], axis=0, dtype=np.float32)
                    inverses = self._model.scaling.inverses
                    self.adam.step([total * inverses / np.float32(examples)])
        self.forget()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what waits: of users without clicks, which no other clicks wait beside."""
        if not self._noted:
            return {}
        gradients, counts = zip(*self._noted, strict=True)
        return {
            "gradients": np.stack(gradients),
            "gradient_clicks": np.array(counts, dtype=np.int64),
        }

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Let wait what `arrays` returned, which may stand among others."""
        counts = arrays.get("gradient_clicks", np.zeros(0, dtype=np.int64)).tolist()
        self._noted = [(arrays["gradients"][i].copy(), n) for i, n in enumerate(counts)]
