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
from gsr.negatives import NO_NEGATIVES, SharedNegatives
from gsr.neighbour_sampler import OwnEdges
from gsr.network import Views
from gsr.objective import (
    Choices,
    Following,
    cross_entropy,
    distillation,
    following_entropy,
    loss_terms,
    score,
    term_weight,
)
from gsr.packing import Packed, pack
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
    following
        What followed each click; None unless negatives for it were given.
    rows, leaf
        int64 [U] table rows, and the copy of them [U, d] that gradients flow into.
    """

    views: Views
    items: Tensor
    choices: Choices
    present: Tensor
    following: Following | None
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
        self,
        batch: Samples,
        graph: ItemGraph,
        negatives: SharedNegatives = NO_NEGATIVES,
        replayed: int = 0,
        teacher: Tensor | None = None,
    ) -> StepResult:
        """Learn from one batch.

        Parameters
        ----------
        batch
            Samples, replayed ones last.
        graph
            The live graph.
        negatives
            What the sequence term compares with; none switches it off.
        replayed, teacher
            How many of the last samples have a teacher, and its joint scores [replayed, M].

        Raises
        ------
        TrainingError
            The loss is not finite; nothing was changed by this step.
        """
        config, network = self.config, self.model.network
        network.train()
        try:
            encoded = self._encode(batch, graph, negatives)
            alone = config.graph_loss > 0.0
            scores = score(encoded.views, encoded.items, encoded.choices, alone=alone)
            terms = loss_terms(encoded.views, scores, encoded.choices, encoded.present, config)
            tokens = encoded.views.tokens
            if tokens is not None and encoded.following is not None:
                terms["sequence"] = following_entropy(tokens, encoded.items, encoded.following)
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

    def _encode(
        self, batch: Samples, graph: ItemGraph, negatives: SharedNegatives = NO_NEGATIVES
    ) -> Encoded:
        model = self.model
        packed = pack(batch.histories, model.config, model.items)
        others = negatives.rows[negatives.rows >= 0]
        asked = np.concatenate((packed.items, others, batch.candidates.ravel()))
        rows, places = model.distinct(asked)
        clicked, drawn, listed = np.split(places, np.cumsum((len(packed.items), len(others))))
        every_token = len(others) > 0
        own = own_edges(batch, packed if every_token else None)
        gathered = model.gather(rows, graph, own)
        leaf = model.table.gather(gathered.rows)
        fused, propagated = model.fuse(gathered, leaf)
        clicks = as_clicks(packed, clicked, batch.context)
        listed = listed.reshape(batch.candidates.shape)
        choices = Choices(
            torch.from_numpy(listed),
            torch.from_numpy(batch.log_inclusion),
            torch.from_numpy(batch.features),
        )
        views = model.network.encode(fused, propagated, clicks, every_token=every_token)
        following = None
        if every_token:
            after = np.append(clicked[1:], -1)
            after[packed.last[packed.present[:, 0] > 0]] = listed[packed.present[:, 0] > 0, 0]
            following = Following(
                torch.from_numpy(after),
                torch.from_numpy(drawn),
                torch.from_numpy(negatives.log_inclusion[: len(others)]),
            )
        present = clicks.present
        return Encoded(views, fused, choices, present, following, gathered.rows, leaf)


def own_edges(samples: Samples, packed: Packed | None = None) -> OwnEdges:
    """Return the edges that the samples' own clicks added, ordered by source.

    With `packed` also those that the clicks of their histories added to each other, which matter
    where every click of a history is to be predicted: with the amounts that the samples' last
    clicks show.
    """
    real = samples.edge_sources >= 0
    sample, _ = np.nonzero(real)
    sources = [samples.edge_sources[real]]
    targets = [samples.candidates[sample, 0]]
    amounts = [samples.edge_amounts[real]]
    times = [samples.histories.now[sample]]
    if packed is not None:
        clicked = samples.histories.times[packed.row, packed.place]
        for back, amount in enumerate(samples.edge_amounts.max(axis=0, initial=0.0), start=1):
            later = np.flatnonzero(packed.column >= back)
            sources.append(packed.items[later - back])
            targets.append(packed.items[later])
            amounts.append(np.full(len(later), amount, np.float32))
            times.append(clicked[later])
    source = np.concatenate(sources)
    order = np.argsort(source, kind="stable")
    return OwnEdges(
        source[order],
        np.concatenate(targets)[order],
        np.concatenate(amounts)[order].astype(np.float64),
        np.concatenate(times)[order],
    )
