"""Learning of the ranker on the stream, in cycles: blocks with replay, and a judge of new weights.

Clicks are learned in blocks, with earlier blocks beside as often as `replay` says. The network
always learns from the values that the learned features had when the click was ranked, before they
had learned from that click: values computed anew would look better than they are, and the network
would trust them too far. Only the gradient goes to what computes them now.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.errors import SnapshotError, TrainingError
from gsr.ranker.adam import Adam, Floats
from gsr.ranker.averaging import follow
from gsr.ranker.config import RankerLearning
from gsr.ranker.judge import Verdict, paired_z
from gsr.ranker.linear_steps import LinearSteps
from gsr.ranker.model import RankerModel
from gsr.ranker.network import ABSENT, Examples
from gsr.ranker.ranked_clicks import RankedClicks, from_arrays, join
from gsr.ranker.replay import Block, ReplayBlocks
from gsr.ranker.scaling import CLIP
from gsr.ranker.vectors.vector_steps import VectorSteps

STATE_FORMAT: Final = 5
HASH_RANGE: Final = 2**32

Arrays = dict[str, npt.NDArray[Any]]


def never() -> bool:
    """Return that time has not run out."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """Result of one call of `RankerLearner.learn`.

    Parameters
    ----------
    fresh, replayed, shed
        Clicks learned, clicks replayed, clicks whose replay was skipped because time ran out.
    steps
        Optimiser steps.
    loss
        Mean cross-entropy of the fresh clicks among their candidates, while learned; 0 where none
        was among its candidates.
    touched_rows
        Item vectors moved, summed over the steps.
    """

    fresh: int
    replayed: int
    shed: int
    steps: int
    loss: float
    touched_rows: int


class RankerLearner:
    """Learns a `RankerModel` from ranked clicks, in cycles: `add` some, then `learn`.

    Parameters
    ----------
    model
        Learned in place.
    learning
        Settings.

    Attributes
    ----------
    replay
        Blocks for learning once more.
    linear
        Moves the linear score; it is told of all candidates of every click.
    """

    def __init__(self, model: RankerModel, learning: RankerLearning) -> None:
        self.model = model
        self.learning = learning
        self._rng = np.random.default_rng(learning.seed)
        self.replay = ReplayBlocks(learning.replay_blocks, self._rng)
        self._moving = copy.deepcopy(model.network)  # what is served is the average
        self._network = Adam(self._moving.weights, learning.network_rate)
        self.linear = LinearSteps(model, learning.linear_rate)
        self._vectors = (
            None if model.vectors is None else VectorSteps(model.vectors, learning, self._rng)
        )
        self._waiting: list[RankedClicks] = []
        self._held: list[RankedClicks] = []  # that the judge saw and that are learned next
        self._carried = 0.0  # of replay
        self._before: list[list[npt.NDArray[Any]]] = []
        self._commit()

    @property
    def waiting(self) -> int:
        """How many clicks wait to be learned for the first time."""
        return sum(one.clicks for one in self._waiting)

    @property
    def replay_limit_bytes(self) -> int:
        """Memory that the blocks for learning once more may take."""
        config = self.model.config
        features = self.model.layout.places.features + self.model.learned
        candidates = min(config.kept, self.learning.candidates)
        per_click = candidates * (2 * features + 4 + 4) + config.history_length * 8 + 64
        return self.learning.replay_blocks * self.learning.block * per_click

    def grow(self, items: int) -> None:
        """Give the items up to row `items` first vectors."""
        if self._vectors is not None:
            self._vectors.grow(items)

    def add(self, clicks: RankedClicks) -> None:
        """Let clicks wait to be learned."""
        if clicks.clicks:
            self._waiting.append(clicks)

    def drop_waiting(self, most: int = 0) -> int:
        """Let the oldest clicks that wait go until `most` are left; return how many went."""
        dropped = 0
        while self._waiting and self.waiting > most:
            dropped += self._waiting.pop(0).clicks
        if most == 0:
            self.linear.forget()
        return dropped

    def learn(self, out_of_time: Callable[[], bool] = never) -> tuple[LearnReport, Verdict] | None:
        """Learn all clicks that wait, and judge; None where none wait.

        Clicks of held-back users are ranked with the old weights and with the new. Where the new
        are worse, the old ones come back with all that belongs to them. Either way these clicks
        are learned in the next cycle.

        Parameters
        ----------
        out_of_time
            Asked between blocks; once true, replay is skipped and counted as shed.

        Raises
        ------
        TrainingError
            The numbers were not finite; weights and optimiser are those of before, and the clicks
            are dropped.
        """
        if not self._waiting:
            return None
        new = join(self._waiting)
        self._waiting = []
        held = new.users % HASH_RANGE < self.learning.holdout * HASH_RANGE
        judged = new.part(np.flatnonzero(held))
        fresh = join([*self._held, new.part(np.flatnonzero(~held))])
        self._held = [judged] if judged.clicks else []
        before = self._losses(judged)
        try:
            report = self._learn(fresh, out_of_time)
        except TrainingError:
            self._held = []
            self.linear.forget()
            self._take_back()
            raise
        verdict = self._judge(judged, before)
        return report, verdict

    def begin_again(self) -> None:
        """Go on from the model's weights, which others have put in."""
        for weights, served in zip(self._moving.weights, self.model.network.weights, strict=True):
            weights[:] = served
        self._commit()

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items from now on: forget what was learned of them."""
        self._commit()
        if self._vectors is not None:
            self._vectors.renew(rows)
        self.replay.forget(rows)
        self._waiting = [one.without(rows) for one in self._waiting]
        self._held = [one.without(rows) for one in self._held]

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return all that goes on but the model's own weights: arrays, and JSON values.

        No clicks may wait.
        """
        arrays: Arrays = {}
        for name, columns in zip(_SMALL, self._small(), strict=True):
            arrays |= {f"{name}.{i}": column for i, column in enumerate(columns)}
        if self._vectors is not None:
            arrays |= {f"vectors.{name}": one for name, one in self._vectors.arrays().items()}
        arrays |= {f"replay.{name}": one for name, one in self.replay.arrays().items()}
        for number, held in enumerate(self._held):
            arrays |= {f"held.{number}.{name}": one for name, one in held.arrays().items()}
        arrays |= self.linear.arrays()
        document = {
            "format": STATE_FORMAT,
            "held": len(self._held),
            "carried": self._carried,
            "random": self._rng.bit_generator.state,
        }
        return arrays, document

    def restore(self, arrays: Arrays, document: dict[str, Any]) -> None:
        """Go on from what `state` returned, on a model with the weights of then.

        Raises
        ------
        SnapshotError
            It does not fit this model.
        """
        if document.get("format") != STATE_FORMAT:
            msg = f"learner state has format {document.get('format')}, not {STATE_FORMAT}"
            raise SnapshotError(f"{msg}: continue it with the version that wrote it")
        try:
            self._load_small([_numbered(arrays, f"{name}.") for name in _SMALL])
            if self._vectors is not None:
                self._vectors.load(_below(arrays, "vectors."))
        except (KeyError, ValueError) as error:
            raise SnapshotError(f"the learner's state does not fit the model: {error}") from error
        self.replay.load(_below(arrays, "replay."))
        held = [
            from_arrays(_below(arrays, f"held.{number}.")) for number in range(document["held"])
        ]
        # Those of another number of candidates cannot be joined with what comes.
        width = min(self.model.config.kept, self.learning.candidates)
        self._held = [one for one in held if one.log_weights.shape[1] == width]
        self.linear.load(arrays)
        self._carried = float(document["carried"])
        self._rng.bit_generator.state = document["random"]
        self._commit()

    def _learn(self, fresh: RankedClicks, out_of_time: Callable[[], bool]) -> LearnReport:
        self.linear.take()
        touched = 0 if self._vectors is None else self._vectors.touched
        replayed = shed = steps = 0
        losses: list[Floats] = []
        for clicks in self._blocks(fresh):
            block = self._standardised(clicks)
            if block is None:
                continue
            found, taken = self._learn_block(block)
            losses.append(found)
            steps += taken
            self._carried += self.learning.replay if len(self.replay) else 0.0
            while self._carried >= 1.0:
                self._carried -= 1.0
                again = self.replay.draw()
                if out_of_time():
                    shed += len(again.examples.targets)
                    continue
                steps += self._learn_block(again)[1]
                replayed += len(again.examples.targets)
            self.replay.add(block)
        loss = np.concatenate(losses) if losses else np.zeros(0, dtype=np.float32)
        return LearnReport(
            fresh=fresh.clicks,
            replayed=replayed,
            shed=shed,
            steps=steps,
            loss=float(loss.mean()) if len(loss) else 0.0,
            touched_rows=0 if self._vectors is None else self._vectors.touched - touched,
        )

    def _blocks(self, fresh: RankedClicks) -> Iterator[RankedClicks]:
        count = math.ceil(fresh.clicks / self.learning.block)
        for rows in np.array_split(np.arange(fresh.clicks), max(count, 1)):
            if len(rows):
                yield fresh.part(slice(int(rows[0]), int(rows[-1]) + 1))

    def _standardised(self, clicks: RankedClicks) -> Block | None:
        """Let means and deviations move on, and bring a block to them; None: nothing to learn."""
        features = clicks.features.astype(np.float32)
        context = clicks.context.copy()
        found = clicks.targets >= 0
        model, counted = self.model, self.model.counted
        if found.any():
            values = features[(clicks.log_weights > ABSENT) & found[:, None]]
            model.scaling.add(values[:, :counted])
            model.learned_scaling.add(values[:, counted:])
            model.context_scaling.add(context[found])
        elif self._vectors is None:
            return None
        model.standardise(features, context)
        return Block(
            Examples(features, context, clicks.log_weights, clicks.targets), clicks.lookups
        )

    def _learn_block(self, block: Block) -> tuple[Floats, int]:
        """Take steps on a block; return the losses, float32 [m], of clicks among candidates."""
        model, learned = self.model, self.model.learned
        losses = []
        steps = 0
        for first in range(0, len(block.examples.targets), self.learning.step):
            rows = slice(first, first + self.learning.step)
            examples = block.examples.part(rows)
            found = np.flatnonzero(examples.targets >= 0)
            by_features = np.zeros((*examples.log_weights.shape, learned), dtype=np.float32)
            if len(found):
                some = examples.part(found)
                by_weights, by_learned, scores = self._moving.gradients(some, learned)
                losses.append(_cross_entropies(scores + some.log_weights, some.targets))
                if not np.isfinite(losses[-1]).all():
                    raise TrainingError(
                        "the loss is not finite: the weights of before come back, and the clicks "
                        "are left out"
                    )
                self._network.step(by_weights)
                follow(
                    model.network.weights,
                    self._moving.weights,
                    self.learning.averaging,
                    self._network.steps,
                )
                if self.learning.end_to_end:
                    by_features[found] = by_learned
            if self._vectors is not None:
                by_features *= model.learned_scaling.inverses
                by_features[np.abs(examples.features[..., -learned:]) >= CLIP] = 0.0
                self._vectors.learn(block.lookups.part(rows), by_features)
            steps += 1
        return np.concatenate(losses) if losses else np.zeros(0, dtype=np.float32), steps

    def _judge(self, judged: RankedClicks, before: npt.NDArray[np.float64]) -> Verdict:
        after = self._losses(judged)
        z = paired_z(before, after, judged.users[judged.targets >= 0])
        promoted = z <= self.learning.worse_z
        if promoted:
            self._commit()
        else:
            self._take_back()
        return Verdict(
            promoted=promoted,
            samples=len(before),
            before=float(before.mean()) if len(before) else 0.0,
            after=float(after.mean()) if len(after) else 0.0,
            z=z,
        )

    def _losses(self, clicks: RankedClicks) -> npt.NDArray[np.float64]:
        """Return the cross-entropies of those clicks that are among their candidates."""
        some = clicks.part(np.flatnonzero(clicks.targets >= 0))
        if some.clicks == 0:
            return np.zeros(0)
        features = some.features.astype(np.float32)
        if self.model.vectors is not None:
            features[..., self.model.counted :] = self.model.vectors.features(some.lookups)
        scores = self.model.scores(features, some.context)
        return _cross_entropies(scores + some.log_weights, some.targets).astype(np.float64)

    def _small(self) -> list[list[npt.NDArray[Any]]]:
        """Return copies of everything but the vectors that a cycle moves."""
        return [
            self._network.arrays(),
            [weights.copy() for weights in self.model.network.weights],
            self.linear.optimiser_arrays(),
            *(scaling.arrays() for scaling in self.model.scalings),
        ]

    def _load_small(self, arrays: list[list[npt.NDArray[Any]]]) -> None:
        network, averages, linear, *scalings = arrays
        self._network.load(network)
        for weights, average in zip(self.model.network.weights, averages, strict=True):
            weights[:] = average
        self.linear.load_optimiser(linear)
        for scaling, stored in zip(self.model.scalings, scalings, strict=True):
            scaling.load(stored)

    def _commit(self) -> None:
        self._before = self._small()
        if self._vectors is not None:
            self._vectors.commit()

    def _take_back(self) -> None:
        self._load_small(self._before)
        if self._vectors is not None:
            self._vectors.take_back()


_SMALL = ("network", "averages", "linear", "scaling", "learned_scaling", "context_scaling")


def _cross_entropies(scores: Floats, targets: npt.NDArray[np.int64]) -> Floats:
    """Return the cross-entropy of each row's target, float32 [n]."""
    highest = scores.max(axis=1)
    totals = np.exp(scores - highest[:, None]).sum(axis=1)
    found: Floats = np.log(totals) + highest - scores[np.arange(len(scores)), targets]
    return found


def _below(arrays: Arrays, prefix: str) -> Arrays:
    return {n[len(prefix) :]: one for n, one in arrays.items() if n.startswith(prefix)}


def _numbered(arrays: Arrays, prefix: str) -> list[npt.NDArray[Any]]:
    found = _below(arrays, prefix)
    return [found[str(number)] for number in range(len(found))]
