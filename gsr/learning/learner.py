"""Learning on the stream, with replay, distillation and a judge of new weights."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import LearnerConfig
from gsr.counters.items.item_graph import ItemGraph
from gsr.errors import SnapshotError, TrainingError
from gsr.learning.encoded_batch import Batch
from gsr.learning.optimisation import Optimisation
from gsr.learning.reservoir import Columns, Reservoir, from_columns, to_columns
from gsr.learning.samples import Samples, join
from gsr.network.model import JointModel, graph_time
from gsr.votes.negatives import NegativeSource
from gsr.votes.popularity import popularity_at

HASH_RANGE: Final = 2**32
STATE_FORMAT: Final = 1
FEWEST_JUDGES: Final = 10


def never() -> bool:
    """Return that time has not run out."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """Result of one call of `Learner.learn`.

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


class Learner:
    """Learns a `JointModel` from recorded samples, in cycles: `learn`, then `judge`.

    Parameters
    ----------
    model
        Learned in place.
    config
        Settings.

    Attributes
    ----------
    reservoir
        Samples for replay.
    """

    def __init__(self, model: JointModel, config: LearnerConfig) -> None:
        self.model = model
        self.config = config
        self.reservoir = Reservoir(config.reservoir_bytes)
        self._rng = np.random.default_rng(config.seed)
        self._optimisation = Optimisation(model, config)
        self._pending: list[Columns] = []
        self._held: list[tuple[Samples, npt.NDArray[np.float64]]] = []

    def prepare(self) -> None:
        """Import what learning needs and ranking does not, which takes seconds once.

        `learn` does it by itself, on its own time.
        """
        self._optimisation.prepare()

    def learn(
        self,
        samples: Samples,
        graph: ItemGraph,
        *,
        effort: float = 1.0,
        out_of_time: Callable[[], bool] = never,
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
            The loss was not finite; weights and optimiser are those of the last promotion, and
            the samples are dropped.
        """
        self.model.grow(graph)
        self._optimisation.optimiser.begin()
        held = samples.user_hashes % HASH_RANGE < self.config.holdout * HASH_RANGE
        fresh = join([*map(from_columns, self._pending), samples.rows(np.flatnonzero(~held))])
        self._pending = []
        if held.any():
            chosen = samples.rows(np.flatnonzero(held))
            self._held.append((chosen, self._optimisation.likelihood(chosen, graph)))
        replay = self.reservoir.draw(round(self.config.replay * effort * len(fresh)), self._rng)
        try:
            report = self._learn(fresh, replay, graph, out_of_time)
        except TrainingError:
            # The samples may be the cause, so they are not kept.
            self._held = []
            self._close(promoted=False)
            raise
        self.reservoir.add(fresh.without_candidates(), self._rng)
        return report

    def judge(self, graph: ItemGraph) -> Verdict:
        """Compare the weights since the last promotion on the held-back slice.

        Worse: the old weights and optimiser state come back. Else the new become the reference
        for the next judgement and for distillation. Either way the slice is learned in the next
        cycle.
        """
        if not self._held:
            self._close(promoted=True)
            return Verdict(promoted=True, samples=0, before=0.0, after=0.0, z=0.0)
        before = np.concatenate([likelihood for _, likelihood in self._held])
        after = np.concatenate(
            [self._optimisation.likelihood(samples, graph) for samples, _ in self._held]
        )
        users = np.concatenate([samples.user_hashes for samples, _ in self._held])
        z = paired_z(before, after, users)
        promoted = z <= self.config.worse_z
        self._close(promoted=promoted)
        return Verdict(
            promoted=promoted,
            samples=len(before),
            before=float(before.mean()),
            after=float(after.mean()),
            z=z,
        )

    def promote(self) -> None:
        """Make the present weights the reference without asking (bootstrap)."""
        self._close(promoted=True)

    def renew(self, rows: npt.NDArray[np.int64], graph: ItemGraph) -> None:
        """Forget item `rows` that now stand for other items: embeddings, optimiser, reservoir.

        Weights that still wait for the judge are promoted first.
        """
        self._close(promoted=True)
        self.model.renew(rows, graph)
        self.reservoir.forget(rows)
        waiting = Reservoir(2**62)
        for columns in self._pending:
            waiting.add(from_columns(columns), self._rng)
        waiting.forget(rows)
        self._pending = [waiting.columns()] if len(waiting) else []

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return optimiser, reservoir, waiting samples and random state: tensors and JSON.

        Together with the model's own snapshot it continues exactly; call it after `judge`.
        """
        tensors = self._optimisation.tensors()
        tensors["random.torch"] = self.model.generator.get_state()
        tensors |= as_tensors("reservoir", self.reservoir.columns())
        for number, columns in enumerate(self._pending):
            tensors |= as_tensors(f"pending_{number}", columns)
        document = {
            "format": STATE_FORMAT,
            "pending": len(self._pending),
            "random": self._rng.bit_generator.state,
        }
        return tensors, document

    def restore(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Continue from what `state` returned, on the model that was there then.

        Raises
        ------
        SnapshotError
            It does not fit this model.
        """
        if document.get("format") != STATE_FORMAT:
            msg = f"learner state has format {document.get('format')}, not {STATE_FORMAT}"
            raise SnapshotError(f"{msg}: continue it with the version that wrote it")
        self._optimisation.load(tensors)
        self.model.generator.set_state(tensors["random.torch"].clone())
        self._rng.bit_generator.state = document["random"]
        self.reservoir.load(as_columns("reservoir", tensors))
        waiting = range(document["pending"])
        self._pending = [as_columns(f"pending_{number}", tensors) for number in waiting]
        self._held = []

    def _learn(
        self,
        fresh: Samples,
        replay: Samples | None,
        graph: ItemGraph,
        out_of_time: Callable[[], bool],
    ) -> LearnReport:
        batches = list(self._batches(fresh, replay, graph))
        # The weights are still those of the last promotion: they are the teacher.
        teachers = [self._teach(batch, graph) for batch in batches]
        replayed = shed = touched = 0
        loss = 0.0
        terms: dict[str, list[float]] = {}
        for batch, teacher in zip(batches, teachers, strict=True):
            count = 0 if batch.replayed is None else len(batch.replayed)
            if count and out_of_time():
                shed += count
                result = self._optimisation.step(replace(batch, replayed=None), graph)
            else:
                replayed += count
                result = self._optimisation.step(batch, graph, teacher)
            touched += result.rows
            loss += float(result.losses.sum())
            for name, mean in result.terms.items():
                terms.setdefault(name, []).append(mean)
        return LearnReport(
            fresh=len(fresh),
            replayed=replayed,
            shed=shed,
            steps=len(batches),
            loss=loss / max(len(fresh), 1),
            terms={name: float(np.mean(means)) for name, means in terms.items()},
            touched_rows=touched,
        )

    def _batches(self, fresh: Samples, replay: Samples | None, graph: ItemGraph) -> Iterator[Batch]:
        """Shuffle and cut the samples; each batch gets its share of replay, and negatives."""
        config = self.config
        steps = math.ceil(len(fresh) / config.batch_size)
        if steps == 0:
            return
        popularity = popularity_at(graph, graph.scales // 2, graph_time(graph))
        source = NegativeSource(popularity, graph.alive, config.uniform_share)
        old = np.array_split(np.arange(0 if replay is None else len(replay)), steps)
        new = np.array_split(self._rng.permutation(len(fresh)), steps)
        for index, again in zip(new, old, strict=True):
            replayed = replay.rows(again) if replay is not None and len(again) else None
            negatives = source.draw(config.neural_negatives, self._rng)
            yield Batch(fresh.rows(index), replayed, negatives)

    def _teach(self, batch: Batch, graph: ItemGraph) -> Tensor | None:
        if batch.replayed is None or self.config.distillation_loss == 0.0:
            return None
        only_replayed = replace(batch, fresh=batch.fresh.rows(np.empty(0, np.int64)))
        return self._optimisation.teach(only_replayed, graph)

    def _close(self, *, promoted: bool) -> None:
        if promoted:
            self._optimisation.optimiser.commit()
        else:
            self._optimisation.optimiser.rollback()
        # Kept in the rounded form that survives a restart, so that a restart changes nothing.
        self._pending.extend(to_columns(samples) for samples, _ in self._held)
        self._held = []


def paired_z(
    before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64],
    users: npt.NDArray[np.uint64],
) -> float:
    """Return by how many standard errors `after` lies above `before`; inf if it is not finite.

    The error is that of users, not of samples: one user's clicks rise and fall together. Of fewer
    than `FEWEST_JUDGES` users nothing can be said: 0.

    >>> users = np.arange(10, dtype=np.uint64)
    >>> paired_z(np.zeros(10), np.array([0.1, 0.3] * 5), users)
    6.3...
    """
    worse = after - before
    if not np.isfinite(worse).all():
        return math.inf
    mean = float(worse.mean())
    found, user = np.unique(users, return_inverse=True)
    if len(found) < FEWEST_JUDGES:
        return 0.0
    error = math.sqrt(float(np.square(np.bincount(user, worse - mean)).sum())) / len(worse)
    if error == 0.0:
        return math.copysign(math.inf, mean) if mean else 0.0
    return mean / error


def as_tensors(prefix: str, columns: Columns) -> dict[str, Tensor]:
    """Return columns as tensors; unsigned 64-bit ones as their signed bits."""
    found = {}
    for name, column in columns.items():
        signed = column.view(np.int64) if column.dtype == np.uint64 else column
        found[f"{prefix}.{name}"] = torch.from_numpy(np.ascontiguousarray(signed))
    return found


def as_columns(prefix: str, tensors: dict[str, Tensor]) -> Columns:
    """Return what `as_tensors` made tensors of."""
    found: Columns = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix + "."):
            column = tensor.numpy().copy()
            short = name[len(prefix) + 1 :]
            found[short] = column.view(np.uint64) if short == "user_hashes" else column
    return found
