"""Learning on the stream: fresh samples, replay, distillation, a judge."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.errors import TrainingError
from gsr.item_graph import ItemGraph
from gsr.model import JointModel, as_clicks
from gsr.neighbour_sampler import OwnEdges
from gsr.network import Views
from gsr.objective import Choices, cross_entropy, distillation, loss_terms, score, term_weight
from gsr.packing import pack
from gsr.reservoir import Reservoir
from gsr.samples import Samples, join

HASH_SCALE = 2**32


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
        Item rows written, summed over the steps.
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


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch, encoded: what the objective reads, and what a step writes back."""

    views: Views
    items: Tensor
    choices: Choices
    present: Tensor
    rows: Tensor
    leaf: Tensor


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
        self.reservoir = Reservoir(config.reservoir_bytes)
        self._rng = np.random.default_rng(config.seed)
        self._optimiser = torch.optim.AdamW(
            model.network.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._pending: list[Samples] = []
        self._held: list[Samples] = []
        self._before: list[npt.NDArray[np.float64]] = []
        self._undo: tuple[dict[str, Tensor], dict[str, Any]] | None = None

    def learn(
        self,
        samples: Samples,
        graph: ItemGraph,
        *,
        effort: float = 1.0,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> LearnReport:
        self.model.grow(graph)
        self._begin()
        held = samples.user_hashes % HASH_SCALE < self.config.holdout * HASH_SCALE
        fresh = join([*self._pending, samples.rows(np.flatnonzero(~held))])
        self._pending = []
        if held.any():
            slice_ = samples.rows(np.flatnonzero(held))
            self._held.append(slice_)
            self._before.append(self.likelihood(slice_, graph))
        wanted = round(self.config.replay * effort * len(fresh))
        replay = self.reservoir.draw(wanted, self._rng)
        report = self._steps(fresh, replay, graph, out_of_time)
        self.reservoir.add(fresh, self._rng)
        return report

    def likelihood(self, samples: Samples, graph: ItemGraph) -> npt.NDArray[np.float64]:
        out = np.empty(len(samples))
        with torch.no_grad():
            for start in range(0, len(samples), self.config.batch_size):
                index = np.arange(start, min(start + self.config.batch_size, len(samples)))
                e = self._encode(samples.rows(index), graph)
                found = score(e.views, e.items, e.choices, alone=False)
                out[index] = cross_entropy(found.fused, e.choices).numpy()
        return out

    def judge(self, graph: ItemGraph) -> Verdict:
        if not self._held:
            self.promote(graph)
            return Verdict(promoted=True, samples=0, before=0.0, after=0.0, z=0.0)
        before = np.concatenate(self._before)
        after = np.concatenate([self.likelihood(s, graph) for s in self._held])
        worse = after - before
        error = float(worse.std()) / math.sqrt(len(worse))
        z = float(worse.mean()) / max(error, 1e-12)
        promoted = bool(np.isfinite(after).all()) and z <= self.config.worse_z
        self._pending.extend(self._held)
        if promoted:
            self._end()
        else:
            self._rollback()
        return Verdict(
            promoted=promoted,
            samples=len(worse),
            before=float(before.mean()),
            after=float(after.mean()),
            z=z,
        )

    def promote(self, graph: ItemGraph) -> None:
        self._pending.extend(self._held)
        self._end()

    def _steps(self, fresh, replay, graph, out_of_time) -> LearnReport:
        config = self.config
        order = self._rng.permutation(len(fresh))
        steps = math.ceil(len(fresh) / config.batch_size)
        parts = np.array_split(order, steps) if steps else []
        rparts = (
            np.array_split(np.arange(len(replay)), steps) if replay is not None and steps else []
        )
        teachers = [None] * steps
        if rparts and config.distillation_loss > 0.0:
            with torch.no_grad():
                for i, part in enumerate(rparts):
                    e = self._encode(replay.rows(part), graph)
                    teachers[i] = score(e.views, e.items, e.choices, alone=False).fused
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        replayed = shed = touched = 0
        loss_sum = 0.0
        self.model.network.train()
        try:
            for i, part in enumerate(parts):
                batch = fresh.rows(part)
                teacher = None
                n_old = 0
                if rparts and len(rparts[i]):
                    if out_of_time():
                        shed += len(rparts[i])
                    else:
                        batch = join([batch, replay.rows(rparts[i])])
                        n_old = len(rparts[i])
                        replayed += n_old
                        teacher = teachers[i]
                e = self._encode(batch, graph)
                n_new = len(part)
                scores = score(e.views, e.items, e.choices, alone=config.graph_loss+config.sequence_loss>0)
                terms = loss_terms(e.views, scores, e.choices, e.present, config)
                if teacher is not None:
                    terms["distillation"] = distillation(scores.fused[n_new:], teacher, e.choices.after(n_new)) * (n_old / len(batch))
                loss = sum(term_weight(n, config) * t.mean() for n, t in terms.items())
                if not torch.isfinite(loss):
                    raise TrainingError("loss")
                self._optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.network.parameters(), config.gradient_norm)
                self._optimiser.step()
                self.model.table.step(e.rows, e.leaf.grad, config.embedding_rate)
                touched += len(e.rows)
                loss_sum += float(terms["fused"][:n_new].detach().sum())
                for n, t in terms.items():
                    sums[n] = sums.get(n, 0.0) + float(t.detach().mean()) / steps
        finally:
            self.model.network.eval()
        return LearnReport(
            fresh=len(fresh),
            replayed=replayed,
            shed=shed,
            steps=steps,
            loss=loss_sum / max(len(fresh), 1),
            terms=sums,
            touched_rows=touched,
        )

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
        views = model.network.encode(fused, propagated, clicks)
        choices = Choices(
            torch.from_numpy(places[tokens:].reshape(batch.candidates.shape)),
            torch.from_numpy(batch.log_inclusion),
            torch.from_numpy(batch.features),
        )
        return Encoded(views, fused, choices, clicks.present, gathered.rows, leaf)

    def _begin(self) -> None:
        if self._undo is None:
            self.model.table.begin()
            weights = {k: v.clone() for k, v in self.model.network.state_dict().items()}
            self._undo = (weights, copy.deepcopy(self._optimiser.state_dict()))

    def _end(self) -> None:
        self._held, self._before, self._undo = [], [], None
        self.model.table.commit()

    def _rollback(self) -> None:
        if self._undo is not None:
            weights, optimiser = self._undo
            self.model.network.load_state_dict(weights)
            self._optimiser.load_state_dict(optimiser)
            self.model.table.rollback()
        self._held, self._before, self._undo = [], [], None


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
