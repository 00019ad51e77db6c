"""Learning of the encoders from a fixed set of clicks, in passes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.config import BatchConfig
from gsr.counters.interactions import Interactions
from gsr.errors import SnapshotError
from gsr.learning.case_ranker import CaseVectors
from gsr.learning.catalogue_softmax import ScoreBuffer, catalogue_loss
from gsr.learning.history_windows import Windows
from gsr.learning.model_optimiser import ModelOptimiser
from gsr.learning.row_optimiser import RowOptimiser
from gsr.learning.sampled_softmax import ItemSampler
from gsr.learning.user_batches import UserBatches
from gsr.learning.weight_average import WeightAverage
from gsr.network.model import JointModel, as_clicks
from gsr.quality.protocols import Cases
from gsr.ranking.case_encoding import by_length, encode_cases
from gsr.ranking.case_ranking import rank_cases
from gsr.votes.click_graph import count_clicks

ITEMS: Final = "items"
"""What the item table is called among the weights."""

ROW_MOMENTS: Final = {"first_moment": "rows.first", "second_moment": "rows.second"}
"""What its moments are called among tensors that are kept."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Result of one pass over the clicks.

    Parameters
    ----------
    positions
        Predictions that the encoders learned from.
    steps
        Optimiser steps on them.
    loss
        Their mean negative log likelihood while learning.
    """

    positions: int
    steps: int
    loss: float


class BatchLearner:
    """Learns the encoders of a `JointModel` from the clicks before each user's end.

    They learn to predict by themselves. What the ranker makes of their vectors it learns
    afterwards, from clicks that they have not seen (`gsr.learning.case_ranker`).

    Parameters
    ----------
    model
        Learned in place; its table is grown to the catalogue. Its half-lives are `UNDYING`.
    config
        How.
    interactions
        All clicks.
    ends
        int64 [U]: of user u, the clicks ``starts[u] : ends[u]`` are learned from.
    seed
        Of the order of users.
    device
        Where to learn and to score; the model is moved there. Clicks and graph stay in memory.
    """

    def __init__(
        self,
        model: JointModel,
        config: BatchConfig,
        interactions: Interactions,
        ends: npt.NDArray[np.int64],
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.model = model
        self.config = config
        model.table.grow(interactions.item_count)
        model.to(torch.device(device))
        self._interactions = interactions
        self._rng = np.random.default_rng(seed)
        self._batches = UserBatches(
            interactions, ends, model.config.history_length, config.batch_positions, self._rng
        )
        windows = config.window_weights if model.network.mixes else ()  # nobody else reads edges
        self._graph = count_clicks(interactions, ends, windows)
        self._encoders = dict(model.network.named_parameters())
        self._rows = RowOptimiser(model.table, config.average_decay)
        self._optimiser = ModelOptimiser(
            self._encoders,
            self._rows,
            weight_decay=config.weight_decay,
            gradient_norm=config.gradient_norm,
        )
        self._average = WeightAverage([*self._encoders.values()], config.average_decay)
        self._sampler = ItemSampler(self._graph.popularity[:, 0], config.sampled_items, self._rng)
        self._buffer = ScoreBuffer()

    @property
    def steps(self) -> int:
        """Steps that the encoders have learned."""
        return self._rows.steps

    @property
    def has_encoders(self) -> bool:
        """Whether there is anything to learn."""
        return self.model.config.sequence_encoder or bool(self.model.network.mixes)

    # -- learning ------------------------------------------------------------------------------

    def learn_once(self, stop: Callable[[], bool] = lambda: False) -> Pass:
        """Teach the encoders all learned clicks once, or until `stop` says so between two steps.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        losses: list[tuple[float, int]] = []
        for windows in self._batches if self.has_encoders else ():
            losses.append((self._step(windows), len(windows.positions)))
            if stop():
                break
        self._rows.catch_up()
        positions = sum(count for _, count in losses)
        total = sum(loss * count for loss, count in losses)
        return Pass(positions, len(losses), total / max(positions, 1))

    def _step(self, windows: Windows) -> float:
        """Have each encoder's share of the user vectors predict what was clicked next."""
        network = self.model.network
        targets = self._interactions.items[windows.positions + 1]
        drawn = self._sampler.draw(targets)
        read = windows.packed.items
        rows, places = self.model.distinct(np.concatenate((read, drawn.items)))
        tensor = self.model.tensor
        gathered = self.model.gather(rows, self._graph)
        leaf = self.model.table.gather(tensor(gathered.rows))
        items, propagated = self.model.fuse(gathered, leaf)
        vectors = self._encode(windows, places[: len(read)], items, propagated)
        chosen = items.index_select(0, tensor(places[len(read) :]))
        values, aims = tensor(drawn.values), tensor(drawn.targets)
        offsets = tensor(drawn.corrections)
        losses = [
            catalogue_loss(mine, own, drawn.entries, values, aims, self._buffer, offsets=offsets)
            for mine, own in zip(network.shares(vectors), network.shares(chosen), strict=True)
        ]
        # A sum, so that each learns as it would alone.
        loss = torch.stack(losses).sum()
        warm = min(1.0, (self.steps + 1) / max(self.config.warm_up_steps, 1))
        self._optimiser.step(
            loss,
            gathered.rows,
            leaf,
            rate=self.config.learning_rate * warm,
            row_rate=self.config.embedding_rate * warm,
        )
        self._average.follow(self.steps)
        return float(loss.detach()) / len(losses)

    def _encode(
        self,
        windows: Windows,
        places: npt.NDArray[np.int64],
        items: Tensor,
        propagated: Tensor | None,
    ) -> Tensor:
        """Return user vectors after every click, as they are in learning, [T, d]."""
        network = self.model.network
        clicks = as_clicks(windows.packed, places).to(items.device)
        network.train()
        try:
            return network.encode_clicks(items, propagated, clicks)
        finally:
            network.eval()

    # -- ranking -------------------------------------------------------------------------------

    @torch.no_grad()
    def ranks(self, cases: Cases, *, mask_seen: bool = True) -> npt.NDArray[np.int32]:
        """Rank the targets of m cases by user vectors alone, among all items, int32 [m].

        Parameters
        ----------
        cases
            What is to be predicted.
        mask_seen
            Whether the items of a case's history are left out of its ranking.

        Raises
        ------
        RankingError
            A score is not a number.
        """
        ranks = np.empty(len(cases), np.int32)
        items, vectors = self._encoded(cases)
        for rows in by_length(self._interactions, cases, self.model.config.history_length):
            mine = vectors.index_select(0, self.model.tensor(rows))
            found = self._buffer.rows(len(rows), len(items), mine)
            torch.mm(mine, items.T, out=found)
            ranks[rows] = rank_cases(
                found.cpu().numpy(), self._interactions, cases[rows], mask_seen=mask_seen
            )
        return ranks

    @torch.no_grad()
    def vectors(self, cases: Cases) -> CaseVectors:
        """Return the vectors that rank, of m cases and of all items, in memory."""
        items, users = self._encoded(cases)
        return CaseVectors(users=users.cpu().numpy(), items=items.cpu().numpy())

    def _encoded(self, cases: Cases) -> tuple[Tensor, Tensor]:
        """Return the vectors of all items, [N, d], and of cases' users, [m, d]."""
        with self._average.installed():
            items, propagated = self._ranking_items()
            users = encode_cases(self.model, self._interactions, cases, items, propagated)
        return items, users

    def _ranking_items(self) -> tuple[Tensor, Tensor | None]:
        """Return the fused and the graph vectors of all items that rank, [N, d] each."""
        propagated = self.model.propagate_all(self._rows.averages, self._graph)
        items: Tensor = self.model.network.fusion.items(self._rows.averages, propagated)
        return items.detach(), propagated

    # -- keeping -------------------------------------------------------------------------------

    def weights(self) -> dict[str, Tensor]:
        """Return copies of the weights that rank, by name, in memory."""
        found = {ITEMS: self._rows.averages}
        found |= dict(zip(self._encoders, self._average.values, strict=True))
        return _copies(found)

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Rank with what `weights` returned; learning goes on from there too."""
        self.model.table.weight.copy_(weights[ITEMS])
        self._rows.load_averages(weights[ITEMS])
        for (name, parameter), value in zip(
            self._encoders.items(), self._average.values, strict=True
        ):
            parameter.data.copy_(weights[name])
            value.copy_(weights[name])

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the state of the encoders' learning, as tensors and JSON values.

        Good between two passes.
        """
        tensors = {"random": self.model.generator.get_state()}
        tensors |= {"weight.items": self.model.table.weight}
        tensors |= {"average.items": self._rows.averages}
        tensors |= {ROW_MOMENTS[name]: value for name, value in self._rows.moments().items()}
        tensors |= self._optimiser.moments()
        for (name, parameter), average in zip(
            self._encoders.items(), self._average.values, strict=True
        ):
            tensors[f"weight.{name}"] = parameter
            tensors[f"average.{name}"] = average
        return _copies(tensors), {"steps": self.steps, "random": self._rng.bit_generator.state}

    def restore(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Go on from what `state` returned.

        Raises
        ------
        SnapshotError
            It is of another model.
        """
        try:
            self._restore(tensors, int(document["steps"]))
        except (KeyError, RuntimeError) as error:
            raise SnapshotError(f"the kept state is of another model: {error}") from error
        self.model.generator.set_state(tensors["random"].clone())
        self._rng.bit_generator.state = document["random"]

    def _restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        self.model.table.weight.copy_(tensors["weight.items"])
        self._rows.steps = steps
        self._rows.load_moments({name: tensors[kept] for name, kept in ROW_MOMENTS.items()})
        self._rows.load_averages(tensors["average.items"])
        for (name, parameter), average in zip(
            self._encoders.items(), self._average.values, strict=True
        ):
            parameter.data.copy_(tensors[f"weight.{name}"])
            average.copy_(tensors[f"average.{name}"])
        self._optimiser.load_moments(tensors)


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors in the processor's memory."""
    return {name: value.detach().to("cpu", copy=True) for name, value in tensors.items()}
