"""One optimiser step at a time, and the way back from steps that were no good."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.errors import SnapshotError, TrainingError
from gsr.item_graph import ItemGraph
from gsr.model import JointModel, as_clicks
from gsr.neighbour_sampler import OwnEdges
from gsr.network import Views
from gsr.objective import Choices, cross_entropy, distillation, loss_terms, score, term_weight
from gsr.packing import pack
from gsr.samples import Samples

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch, encoded.

    Parameters
    ----------
    views
        Of the batch's users.
    items
        [R, d], fused vectors of the rows that were asked for.
    choices
        The batch's candidates among them.
    present
        [B, 1], 1 for users with clicks.
    rows, leaf
        int64 [U] table rows, and the copy of them [U, d] that gradients flow into.
    """

    views: Views
    items: Tensor
    choices: Choices
    present: Tensor
    rows: Tensor
    leaf: Tensor


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did: per-sample joint loss [B], mean of each term, rows written."""

    losses: npt.NDArray[np.float32]
    terms: dict[str, float]
    rows: int


class Optimisation:
    """Steps on a model's network (AdamW) and on its item table (row-wise).

    Parameters
    ----------
    model
        Changed in place.
    config
        Rates, loss weights, clip.
    """

    def __init__(self, model: JointModel, config: LearnerConfig) -> None:
        self.model = model
        self.config = config
        self._adam = torch.optim.AdamW(
            model.network.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._undo: tuple[dict[str, Tensor], dict[str, Any]] | None = None

    @property
    def is_open(self) -> bool:
        """Whether steps since `begin` can still be rolled back."""
        return self._undo is not None

    def begin(self) -> None:
        """Remember the weights as they are, unless older ones are remembered already."""
        if self._undo is None:
            weights = {k: v.clone() for k, v in self.model.network.state_dict().items()}
            self._undo = (weights, copy.deepcopy(self._adam.state_dict()))
            self.model.table.begin()

    def commit(self) -> None:
        """Forget the remembered weights."""
        self._undo = None
        self.model.table.commit()

    def rollback(self) -> None:
        """Go back to the remembered weights and optimiser state."""
        if self._undo is not None:
            weights, adam = self._undo
            self.model.network.load_state_dict(weights)
            self._adam.load_state_dict(adam)
            self.model.table.rollback()
        self._undo = None

    def step(
        self, batch: Samples, graph: ItemGraph, replayed: int = 0, teacher: Tensor | None = None
    ) -> StepResult:
        """Learn from `batch`, whose last `replayed` samples have `teacher` scores [replayed, M].

        Raises
        ------
        TrainingError
            The loss is not finite; nothing was changed by this step.
        """
        config, network = self.config, self.model.network
        network.train()
        try:
            encoded = self._encode(batch, graph)
            alone = config.graph_loss > 0.0 or config.sequence_loss > 0.0
            scores = score(encoded.views, encoded.items, encoded.choices, alone=alone)
            terms = loss_terms(encoded.views, scores, encoded.choices, encoded.present, config)
            if teacher is not None and replayed and config.distillation_loss > 0.0:
                fresh = len(batch) - replayed
                choices = encoded.choices.after(fresh)
                terms["distillation"] = distillation(scores.fused[fresh:], teacher, choices)
            means = {name: term.mean() for name, term in terms.items()}
            loss = torch.stack([term_weight(n, config) * m for n, m in means.items()]).sum()
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        finally:
            network.eval()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), config.gradient_norm)
        gradient = encoded.leaf.grad
        rows = encoded.rows if gradient is not None else encoded.rows[:0]
        moved = gradient if gradient is not None else encoded.leaf[:0]
        if not (torch.isfinite(loss) and torch.isfinite(norm) and torch.isfinite(moved).all()):
            msg = f"the loss became {loss.item()} with a gradient norm of {norm.item()}"
            raise TrainingError(msg)
        self._adam.step()
        self.model.table.step(rows, moved, config.embedding_rate)
        return StepResult(
            terms["fused"].detach().numpy(),
            {name: float(mean.detach()) for name, mean in means.items()},
            len(rows),
        )

    @torch.no_grad()
    def scores(self, samples: Samples, graph: ItemGraph) -> Tensor:
        """Return the joint scores [n, M] of the samples' candidates under the present weights."""
        encoded = self._encode(samples, graph)
        return score(encoded.views, encoded.items, encoded.choices, alone=False).fused

    @torch.no_grad()
    def likelihood(self, samples: Samples, graph: ItemGraph) -> npt.NDArray[np.float64]:
        """Return each sample's negative log likelihood, float64 [n], under the present weights."""
        out = np.empty(len(samples))
        for start in range(0, len(samples), self.config.batch_size):
            index = np.arange(start, min(start + self.config.batch_size, len(samples)))
            encoded = self._encode(samples.rows(index), graph)
            found = score(encoded.views, encoded.items, encoded.choices, alone=False)
            out[index] = cross_entropy(found.fused, encoded.choices).numpy()
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of Adam's moments and of the table's, by name."""
        found = {}
        for name, parameter in self.model.network.named_parameters():
            for moment, value in self._adam.state.get(parameter, {}).items():
                found[f"adam.{name}.{moment}"] = value.clone()
        for name, value in self.model.table.moments().items():
            found[f"table.{name}"] = value
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` returned.

        Raises
        ------
        SnapshotError
            A moment has another shape than its weight.
        """
        for name, parameter in self.model.network.named_parameters():
            state = {
                moment: tensors[f"adam.{name}.{moment}"].clone()
                for moment in MOMENTS
                if f"adam.{name}.{moment}" in tensors
            }
            if state and state["exp_avg"].shape != parameter.shape:
                msg = f"optimiser state of {name} has shape {tuple(state['exp_avg'].shape)}, not "
                raise SnapshotError(msg + f"{tuple(parameter.shape)}: it is of another model")
            if state:
                self._adam.state[parameter] = state
        prefix = "table."
        table = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
        self.model.table.load_moments(table)
        self._undo = None

    def _encode(self, batch: Samples, graph: ItemGraph) -> Encoded:
        model = self.model
        packed = pack(batch.histories, model.config, model.items)
        tokens = len(packed.items)
        asked = np.concatenate((packed.items, batch.candidates.ravel()))
        rows, places = model.distinct(asked)
        gathered = model.gather(rows, graph, own_edges(batch))
        leaf = model.table.gather(gathered.rows)
        fused, propagated = model.fuse(gathered, leaf)
        clicks = as_clicks(packed, places[:tokens], batch.context)
        choices = Choices(
            torch.from_numpy(places[tokens:].reshape(batch.candidates.shape)),
            torch.from_numpy(batch.log_inclusion),
            torch.from_numpy(batch.features),
        )
        views = model.network.encode(fused, propagated, clicks)
        return Encoded(views, fused, choices, clicks.present, gathered.rows, leaf)


def own_edges(samples: Samples) -> OwnEdges:
    """Return the edges that the samples' own clicks added, ordered by source."""
    real = samples.edge_sources >= 0
    sample, _ = np.nonzero(real)
    sources = samples.edge_sources[real]
    order = np.argsort(sources, kind="stable")
    return OwnEdges(
        sources[order],
        samples.candidates[sample, 0][order],
        samples.edge_amounts[real][order].astype(np.float64),
        samples.histories.now[sample][order],
    )
