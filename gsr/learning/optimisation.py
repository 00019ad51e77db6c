"""One optimiser step at a time, and the way back from steps that were no good."""

import copy
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.counters.item_graph import ItemGraph
from gsr.errors import SnapshotError, TrainingError
from gsr.learning.objective import (
    Choices,
    Negatives,
    contrast,
    cross_entropy,
    distillation,
    joint_scores,
    neural_entropy,
    neural_scores,
    term_weight,
)
from gsr.learning.samples import Samples, join
from gsr.network.graph_encoder import learning_sum
from gsr.network.joint_network import Views
from gsr.network.model import JointModel, as_clicks
from gsr.network.neighbour_sampler import OwnEdges
from gsr.network.packing import Packed, pack
from gsr.votes.negatives import NO_NEGATIVES, SharedNegatives

LIKELIHOOD_BATCH = 500
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from.

    Parameters
    ----------
    fresh
        Samples with recorded candidates.
    replayed
        Samples without (see `Samples.without_candidates`); may be none.
    negatives
        What the encoders' own terms compare every click with; none switches these off.
    """

    fresh: Samples
    replayed: Samples | None
    negatives: SharedNegatives


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch, encoded; fresh samples first.

    Parameters
    ----------
    views
        Of the batch's users.
    items
        [R, d], fused vectors of the rows that were asked for.
    choices
        The fresh samples' candidates among them.
    clicked
        int64 [B], place of each sample's clicked item.
    following
        int64 [T], place of what was clicked after each click of the histories.
    negatives
        Places of the batch's negatives; None where there are none.
    present
        float32 [B], 1 for users with clicks, whose views say something.
    rows, leaf
        int64 [U] table rows, and the copy of them [U, d] that gradients flow into.
    """

    views: Views
    items: Tensor
    choices: Choices
    clicked: Tensor
    following: Tensor
    negatives: Negatives | None
    present: Tensor
    rows: Tensor
    leaf: Tensor


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did: joint loss of each fresh sample, mean of each term, rows written."""

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
        self._undo: tuple[dict[str, Tensor], dict[str, Any]] | None = None

    @functools.cached_property
    def _adam(self) -> torch.optim.AdamW:
        """The first use imports torch's compiler, which a model that only ranks does without."""
        return torch.optim.AdamW(
            self.model.network.parameters(),
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            fused=True,
        )

    def prepare(self) -> None:
        """Import what steps need, which takes seconds once; `begin` and `step` do so as well."""
        self._adam.zero_grad()
        if self.model.config.graph_encoder:
            learning_sum()

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

    def step(self, batch: Batch, graph: ItemGraph, teacher: Tensor | None = None) -> StepResult:
        """Learn from one batch.

        Parameters
        ----------
        batch
            Fresh and replayed samples.
        graph
            The live graph.
        teacher
            What `teach` said of the batch, if it is to be listened to.

        Raises
        ------
        TrainingError
            The loss is not finite; nothing was changed by this step.
        """
        network = self.model.network
        network.train()
        try:
            encoded = self._encode(batch, graph)
            terms = self._terms(encoded, teacher)
            means = {name: term.mean() for name, term in terms.items()}
            loss = torch.stack([term_weight(n, self.config) * m for n, m in means.items()]).sum()
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        finally:
            network.eval()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), self.config.gradient_norm)
        gradient = encoded.leaf.grad
        rows = encoded.rows if gradient is not None else encoded.rows[:0]
        moved = gradient if gradient is not None else encoded.leaf[:0]
        if not (torch.isfinite(loss) and torch.isfinite(norm) and torch.isfinite(moved).all()):
            msg = f"the loss became {loss.item()} with a gradient norm of {norm.item()}"
            raise TrainingError(msg)
        self._adam.step()
        self.model.table.step(rows, moved, self.config.embedding_rate)
        return StepResult(
            terms["fused"].detach().numpy(),
            {name: float(mean.detach()) for name, mean in means.items()},
            len(rows),
        )

    @torch.no_grad()
    def teach(self, batch: Batch, graph: ItemGraph) -> Tensor | None:
        """Return the present user vectors' scores of the negatives, for replayed samples."""
        encoded = self._encode(batch, graph)
        if encoded.negatives is None:
            return None
        users = encoded.views.vectors[len(batch.fresh) :]
        return neural_scores(users, encoded.items, encoded.negatives)

    @torch.no_grad()
    def likelihood(self, samples: Samples, graph: ItemGraph) -> npt.NDArray[np.float64]:
        """Return each sample's negative log likelihood, float64 [n], under the present weights."""
        out = np.empty(len(samples))
        for start in range(0, len(samples), LIKELIHOOD_BATCH):
            index = np.arange(start, min(start + LIKELIHOOD_BATCH, len(samples)))
            batch = Batch(samples.rows(index), None, NO_NEGATIVES)
            encoded = self._encode(batch, graph)
            scores = joint_scores(encoded.views, encoded.items, encoded.choices, 0.0)
            out[index] = cross_entropy(scores, encoded.choices).numpy()
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

    def _terms(self, encoded: Encoded, teacher: Tensor | None) -> dict[str, Tensor]:
        """Return each switched-on term of the loss, unweighted, per sample or per click."""
        config, views, items = self.config, encoded.views, encoded.items
        scores = joint_scores(views, items, encoded.choices, config.joint_gradient)
        terms = {"fused": cross_entropy(scores, encoded.choices)}
        if encoded.negatives is not None:
            clicked, others, present = encoded.clicked, encoded.negatives, encoded.present
            if config.user_loss > 0.0:
                terms["user"] = neural_entropy(views.vectors, items, clicked, others) * present
            if views.views is not None and config.graph_loss > 0.0:
                terms["graph"] = neural_entropy(views.views, items, clicked, others) * present
            if views.tokens is not None and config.sequence_loss > 0.0:
                terms["sequence"] = neural_entropy(views.tokens, items, encoded.following, others)
            if teacher is not None and len(teacher) and config.distillation_loss > 0.0:
                replayed = views.vectors[len(scores) :]
                terms["distillation"] = distillation(
                    neural_scores(replayed, items, others), teacher
                )
        if views.states is not None and views.views is not None and config.contrastive_loss > 0.0:
            agreement = contrast(views.states, views.views, config.contrastive_temperature)
            terms["contrastive"] = agreement * encoded.present
        return terms

    def _encode(self, batch: Batch, graph: ItemGraph) -> Encoded:
        model, fresh = self.model, batch.fresh
        samples = fresh.without_candidates()
        if batch.replayed is not None:
            samples = join([samples, batch.replayed])
        packed = pack(samples.histories, model.items)
        drawn = batch.negatives.rows[batch.negatives.rows >= 0]
        every_token = self.config.sequence_loss > 0.0 and len(drawn) > 0
        parts = (packed.items, samples.candidates[:, 0], drawn, fresh.candidates.ravel())
        rows, places = model.distinct(np.concatenate(parts))
        read, clicked, others, listed = np.split(places, np.cumsum([len(p) for p in parts[:-1]]))
        gathered = model.gather(rows, graph, own_edges(samples, packed if every_token else None))
        leaf = model.table.gather(gathered.rows)
        fused, propagated = model.fuse(gathered, leaf)
        clicks = as_clicks(packed, read, samples.context)
        negatives = None
        if len(drawn):
            chances = batch.negatives.log_inclusion[: len(drawn)]
            negatives = Negatives(torch.from_numpy(others), torch.from_numpy(chances))
        present = packed.present[:, 0]
        following = np.append(read[1:], -1)
        following[packed.last[present > 0]] = clicked[present > 0]
        return Encoded(
            model.network.encode(fused, propagated, clicks, every_token=every_token),
            fused,
            Choices(
                torch.from_numpy(listed.reshape(fresh.candidates.shape)),
                torch.from_numpy(fresh.log_inclusion),
                torch.from_numpy(fresh.features),
            ),
            torch.from_numpy(clicked),
            torch.from_numpy(following[: len(read)]),
            negatives,
            torch.from_numpy(present),
            gathered.rows,
            leaf,
        )


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
