"""Learning from a fixed set of clicks: first the encoders, then the trust in each score part."""

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
from gsr.learning.catalogue_softmax import ScoreBuffer, catalogue_loss
from gsr.learning.history_windows import Windows
from gsr.learning.model_optimiser import ModelOptimiser
from gsr.learning.row_optimiser import RowOptimiser
from gsr.learning.sampled_softmax import ItemSampler
from gsr.learning.trust_learner import TrustLearner
from gsr.learning.user_batches import UserBatches
from gsr.learning.weight_average import WeightAverage
from gsr.network.model import JointModel, as_clicks
from gsr.quality.protocols import Cases
from gsr.ranking.case_ranking import rank_cases
from gsr.ranking.case_scores import CaseScores, by_length, encode_cases
from gsr.votes.channels import context_count
from gsr.votes.click_graph import ClickGraph, count_clicks

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
    """Learns a `JointModel` from the clicks before each user's end.

    The encoders learn to predict by themselves. How far they and the direct channels are to be
    trusted is learned afterwards, from clicks that they have not seen (`learn_trust`).

    Parameters
    ----------
    model
        Learned in place; its table is grown to the catalogue. Its half-lives are those of a
        `ClickGraph`.
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
        learned = self.count(ends)
        self._graph = learned.graph
        self._learned = self._scores_with(learned)
        named = dict(model.network.named_parameters())
        self._encoders = {n: p for n, p in named.items() if not n.startswith("trust.")}
        self._trust = {n: p for n, p in named.items() if n.startswith("trust.")}
        self._rows = RowOptimiser(model.table, config.average_decay)
        self._optimiser = ModelOptimiser(
            self._encoders,
            self._rows,
            weight_decay=config.weight_decay,
            gradient_norm=config.gradient_norm,
        )
        self._average = WeightAverage([*self._encoders.values()], config.average_decay)
        self._trust_learner = TrustLearner(model, config, interactions, seed)
        self._sampler = ItemSampler(learned.graph.popularity[:, 0], config.sampled_items, self._rng)
        self._buffer = ScoreBuffer()

    @property
    def steps(self) -> int:
        """Steps that the encoders have learned."""
        return self._rows.steps

    @property
    def has_encoders(self) -> bool:
        """Whether there is anything but trust to learn."""
        return self.model.config.sequence_encoder or bool(self.model.network.mixes)

    @property
    def has_channels(self) -> bool:
        """Whether there are channels, so that there is trust to learn."""
        shape = self.model.config
        return shape.graph_channels or shape.popularity_channels

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

    def learn_trust(self, cases: Cases, *, mask_seen: bool = True) -> float:
        """Learn how far each part of the score is to be trusted; return the mean loss.

        The outcome depends on the encoders as they are and on the cases, not on earlier calls.

        Parameters
        ----------
        cases
            Clicks that nothing was learned from.
        mask_seen
            Whether a history's items are left out of what its target is compared with.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        if not (self.has_channels and len(cases)):
            return 0.0
        with self._average.installed():
            return self._trust_learner.learn(
                cases, self._learned, *self._ranking_items(), mask_seen=mask_seen
            )

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
        nothing = np.zeros((len(places), context_count(self.model.config.scales)), np.float32)
        clicks = as_clicks(windows.packed, places, nothing).to(items.device)
        network.train()
        try:
            return network.encode_clicks(items, propagated, clicks, clicks.context)
        finally:
            network.eval()

    # -- ranking -------------------------------------------------------------------------------

    @torch.no_grad()
    def ranks(
        self,
        cases: Cases,
        counted: ClickGraph | None = None,
        *,
        mask_seen: bool = True,
        encoders_only: bool = False,
    ) -> npt.NDArray[np.int32]:
        """Rank the targets of m cases, int32 [m].

        Parameters
        ----------
        cases
            What is to be predicted.
        counted
            The graph; None: that of the learned clicks.
        mask_seen
            Whether the items of a case's history are left out of its ranking.
        encoders_only
            Whether the user vectors rank alone, as they learn.

        Raises
        ------
        RankingError
            A score is not a number.
        """
        scores = self._learned if counted is None else self._scores_with(counted)
        ranks = np.empty(len(cases), np.int32)
        with self._average.installed():
            items, propagated = self._ranking_items()
            vectors = encode_cases(self.model, self._interactions, cases, items, propagated)
        columns = items if encoders_only else scores.columns(items)
        for rows in by_length(self._interactions, cases, self.model.config.history_length):
            mine = vectors.index_select(0, self.model.tensor(rows))
            found = self._buffer.rows(len(rows), len(columns), mine)
            if encoders_only:
                torch.mm(mine, columns.T, out=found)
            else:
                features = scores.features(cases[rows])
                trust = self.model.network.trust(self.model.tensor(features.context), mine)
                linear = scores.linear(mine, features, trust)
                torch.mm(linear.rows, columns.T, out=found)
                entries = self.model.tensor(linear.entries)
                found.view(-1).index_add_(0, entries, linear.values)
            ranks[rows] = rank_cases(
                found.cpu().numpy(), self._interactions, cases[rows], mask_seen=mask_seen
            )
        return ranks

    def count(self, ends: npt.NDArray[np.int64]) -> ClickGraph:
        """Return the graph of the clicks before other ends, int64 [U]."""
        config = self.config
        return count_clicks(
            self._interactions, ends, config.window_weights, config.recent_half_life
        )

    def _scores_with(self, counted: ClickGraph) -> CaseScores:
        return CaseScores(self.model, self._interactions, counted, self.config.source_power)

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
        return _copies(found | self._trust)

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Rank with what `weights` returned; learning goes on from there too."""
        self.model.table.weight.copy_(weights[ITEMS])
        self._rows.load_averages(weights[ITEMS])
        for (name, parameter), value in zip(
            self._encoders.items(), self._average.values, strict=True
        ):
            parameter.data.copy_(weights[name])
            value.copy_(weights[name])
        self.load_trust(weights)

    def load_trust(self, weights: dict[str, Tensor]) -> None:
        """Take over the trust of the model whose `weights` these are."""
        for name, parameter in self._trust.items():
            parameter.data.copy_(weights[name])

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
