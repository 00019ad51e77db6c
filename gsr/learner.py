"""Learning on the stream: fresh samples, replay, distillation, a judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.item_graph import ItemGraph
from gsr.model import JointModel
from gsr.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """What one call of `Learner.learn` did.

    Parameters
    ----------
    fresh, replayed, shed
        Samples learned, samples replayed, replay samples skipped because time ran out.
    steps
        Optimiser steps.
    loss
        Mean loss of the fresh samples' fused scores (cross-entropy over candidates), while learned.
    terms
        Mean of every loss term that is switched on, by name.
    touched_rows
        Distinct item rows written, summed over the steps.
    """

    fresh: int
    replayed: int
    shed: int
    steps: int
    loss: float
    terms: dict[str, float]
    touched_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judge's decision.

    Parameters
    ----------
    promoted
        Whether the new weights stay; if not, the old ones are back.
    samples
        Size of the held-back slice.
    before, after
        Mean negative log likelihood of the slice under the old and the new weights.
    z
        Paired z of the difference; positive is worse.
    """

    promoted: bool
    samples: int
    before: float
    after: float
    z: float


class Learner:
    """Learns a `JointModel` from recorded samples, in cycles: `learn`, then `judge`.

    Parameters
    ----------
    model
        Learned in place.
    config
        How.
    """

    def __init__(self, model: JointModel, config: LearnerConfig) -> None:
        self.model = model
        self.config = config

    def learn(
        self,
        samples: Samples,
        graph: ItemGraph,
        *,
        effort: float = 1.0,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> LearnReport:
        """Learn from fresh `samples` and replay; samples of held-back users wait for `judge`.

        Parameters
        ----------
        samples
            Recorded before each click.
        graph
            The live graph; the samples' own edges are left out of it.
        effort
            Multiplies replay (drift raises it).
        out_of_time
            Asked between steps; once true, replay is skipped and counted as shed.

        Raises
        ------
        TrainingError
            The loss was not finite; weights and optimiser are those from before the call.
        """
        raise NotImplementedError

    def judge(self, graph: ItemGraph) -> Verdict:
        """Compare the weights since the last promotion on the held-back slice.

        Worse: the old weights and optimiser state come back. Else the new become the reference
        for the next judgement and for distillation. Either way the slice is learned in the next
        cycle.
        """
        raise NotImplementedError

    def promote(self, graph: ItemGraph) -> None:
        """Make the present weights the reference without asking (bootstrap, restored state)."""
        raise NotImplementedError

    def renew(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        """Forget item `rows` that now stand for other items: embeddings, optimiser, reservoir."""
        raise NotImplementedError

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return optimiser, reservoir, reference weights and random state: tensors and JSON."""
        raise NotImplementedError

    def restore(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Continue from what `state` returned.

        Raises
        ------
        SnapshotError
            It does not fit this model.
        """
        raise NotImplementedError
