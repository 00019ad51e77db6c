"""Learning a fixed set of clicks: many passes, full softmax, a graph that knows no answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gsr.case_ranking import rank_cases
from gsr.catalogue_softmax import ScoreBuffer, catalogue_loss
from gsr.click_graph import ClickGraph, count_clicks
from gsr.config import BatchConfig
from gsr.errors import SnapshotError, TrainingError
from gsr.history_windows import Windows, pack_windows
from gsr.interactions import Interactions
from gsr.model import JointModel, as_clicks
from gsr.network import Views
from gsr.optimisation import MOMENTS
from gsr.position_features import PositionFeatures, PositionReader
from gsr.protocols import Cases

HIDDEN: Final = -1e4
"""Added to the score of what must not be chosen."""

RANKED_USERS: Final = 256
SORTED_BATCHES: Final = 16
"""Users of so many batches are sorted by length, so that little of a batch is padding."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over the clicks did.

    Parameters
    ----------
    positions
        Predictions learned from.
    steps
        Optimiser steps.
    loss
        Mean negative log likelihood while learning.
    """

    positions: int
    steps: int
    loss: float


class BatchLearner:
    """Learns a `JointModel` from the clicks before each user's end.

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
    """

    def __init__(
        self,
        model: JointModel,
        config: BatchConfig,
        interactions: Interactions,
        ends: npt.NDArray[np.int64],
        seed: int = 0,
    ) -> None:
        self.model = model
        self.config = config
        self.steps = 0
        self._interactions = interactions
        self._ends = ends
        self._rng = np.random.default_rng(seed)
        self._learned = count_clicks(interactions, ends, config.window_weights)
        model.table.grow(interactions.item_count)
        self._levels = torch.from_numpy(popularity_level(self._learned.graph.popularity))
        self._reader = self._read_with(self._learned)
        self._items = nn.Parameter(model.table.weight)
        network = model.network
        named = dict(network.named_parameters())
        trust = [parameter for name, parameter in named.items() if name.startswith("trust.")]
        rest = [parameter for name, parameter in named.items() if not name.startswith("trust.")]
        self._names = ["items", *named]
        self._parameters = [self._items, *named.values()]
        self._adam = torch.optim.AdamW(
            [
                {"params": [self._items], "lr": config.embedding_rate, "weight_decay": 0.0},
                {"params": trust, "lr": config.trust_rate, "weight_decay": 0.0},
                {"params": rest, "lr": config.learning_rate, "weight_decay": config.weight_decay},
            ],
            fused=True,
        )
        self._rates = [float(group["lr"]) for group in self._adam.param_groups]
        self._average = [p.detach().clone() for p in self._parameters]
        self._buffer = ScoreBuffer()

    # -- learning ------------------------------------------------------------------------------

    def learn_once(self, stop: Callable[[], bool] = lambda: False) -> Pass:
        """Go through all learned clicks once, or until `stop` says so between two steps.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        self.model.network.train()
        total, positions, steps = 0.0, 0, 0
        try:
            for windows in self._batches():
                loss = self._step(windows)
                count = len(windows.positions)
                total += loss * count
                positions += count
                steps += 1
                if stop():
                    break
        finally:
            self.model.network.eval()
        return Pass(positions, steps, total / max(positions, 1))

    def _batches(self) -> Iterator[Windows]:
        """Yield every user's learned clicks, the newest `history_length` that have a successor."""
        starts, length = self._interactions.starts[:-1], self.model.config.history_length
        stops = self._ends - 1
        users = np.flatnonzero(stops - starts >= 1)
        users = self._rng.permutation(users)
        sizes = np.minimum(stops[users] - starts[users], length)
        cuts = np.searchsorted(
            sizes.cumsum(), np.arange(0, sizes.sum(), self.config.batch_positions * SORTED_BATCHES)
        )
        batches = []
        for shuffled in np.split(users, cuts[1:]):
            group = shuffled[np.argsort(stops[shuffled] - starts[shuffled], kind="stable")]
            filled = np.minimum(stops[group] - starts[group], length).cumsum()
            bounds = np.arange(
                0, int(filled[-1]) if len(filled) else 0, self.config.batch_positions
            )
            batches += [b for b in np.split(group, np.searchsorted(filled, bounds)[1:]) if len(b)]
        for place in self._rng.permutation(len(batches)):
            chosen = batches[place]
            firsts = np.maximum(starts[chosen], stops[chosen] - length)
            yield pack_windows(self._interactions, chosen, firsts, stops[chosen])

    def _step(self, windows: Windows) -> float:
        targets = self._interactions.items[windows.positions + 1]
        features = self._reader.read(windows.users, windows.positions + 1, targets)
        views = self._encode(windows, features.context)
        entries, values = self._additions(windows, features, views, targets)
        loss = self._loss(views, entries, values, torch.from_numpy(targets))
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(self._parameters[1:], self.config.gradient_norm)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise TrainingError(
                f"the loss became {loss.item()} with a gradient norm of {norm.item()}: lower the "
                "learning rate"
            )
        warm = min(1.0, (self.steps + 1) / max(self.config.warm_up_steps, 1))
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * warm
        self._adam.step()
        self.steps += 1
        self._follow()
        return float(loss.detach())

    def _loss(self, views: Views, entries: Tensor, values: Tensor, targets: Tensor) -> Tensor:
        scales = self.model.config.scales
        # One inner product holds the popularity channels too.
        left = (views.trust.gains * views.vectors, views.trust.channels[:, :scales])
        return catalogue_loss(
            torch.cat(left, dim=1),
            torch.cat((self._items, self._levels), dim=1),
            entries,
            values,
            targets,
            self._buffer,
        )

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running average a little towards the present weights."""
        decay = self.config.average_decay
        # Young averages would remember the first weights, which were drawn at random.
        share = 1.0 - min(decay, self.steps / (self.steps + 10.0))
        torch._foreach_lerp_(self._average, [p.detach() for p in self._parameters], share)

    # -- encoding ------------------------------------------------------------------------------

    def _read_with(self, counted: ClickGraph) -> PositionReader:
        config = self.model.config
        return PositionReader(
            self._interactions, counted, config.channel_history, config.channel_decay
        )

    def _encode(self, windows: Windows, contexts: npt.NDArray[np.float32]) -> Views:
        packed = windows.packed
        clicks = as_clicks(packed, packed.items, np.zeros((0, 0), np.float32))
        return self.model.network.encode_clicks(
            self._items, None, clicks, torch.from_numpy(contexts)
        )

    def _graph_additions(
        self, features: PositionFeatures, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the flat places that have graph channels, and what these add to the scores."""
        rows = torch.from_numpy(features.rows)
        graph = weights[:, self.model.config.scales :].index_select(0, rows)
        values = (torch.from_numpy(features.values) * graph).sum(dim=1)
        entries = features.rows * self._interactions.item_count + features.items
        return torch.from_numpy(entries), values

    def _additions(
        self,
        windows: Windows,
        features: PositionFeatures,
        views: Views,
        targets: npt.NDArray[np.int64],
    ) -> tuple[Tensor, Tensor]:
        """Return flat places, ascending, and what is added to the scores there.

        The graph channels; how the answers' popularity differs without the user's own clicks; and
        what hides the items of the history.
        """
        weights = views.trust.channels
        entries, values = self._graph_additions(features, weights)
        counts = self._learned.graph.popularity[targets, 0]
        own = self._learned.own_counts[windows.positions + 1]
        shift = torch.from_numpy(popularity_level(counts - own) - popularity_level(counts))
        answers = np.arange(len(targets)) * self._interactions.item_count + targets
        places = [entries.numpy(), answers]
        added = [values, weights[:, : self.model.config.scales].sum(dim=1) * shift]
        if self.config.mask_seen:
            hidden = self._seen(windows, targets)
            places.append(hidden)
            added.append(torch.full((len(hidden),), HIDDEN))
        flat, where = np.unique(np.concatenate(places), return_inverse=True)
        total = torch.zeros(len(flat)).index_add(0, torch.from_numpy(where), torch.cat(added))
        return torch.from_numpy(flat), total

    def _seen(self, windows: Windows, targets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the flat places of what each position's window holds, but for its target."""
        packed, n = windows.packed, self._interactions.item_count
        lengths = packed.column + 1
        rows = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(rows)) - np.repeat(lengths.cumsum() - lengths, lengths)
        items = self._interactions.items[(windows.positions - packed.column)[rows] + within]
        kept = items != targets[rows]
        return np.unique(rows[kept] * n + items[kept])

    # -- ranking -------------------------------------------------------------------------------

    @torch.no_grad()
    def ranks(
        self,
        cases: Cases,
        counted: ClickGraph | None = None,
        *,
        mask_seen: bool = True,
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

        Raises
        ------
        RankingError
            A score is not a number.
        """
        averaged = self.config.average_decay > 0.0
        if averaged:
            self._swap()
        try:
            return self._ranks(cases, counted or self._learned, mask_seen=mask_seen)
        finally:
            if averaged:
                self._swap()

    def count(self, ends: npt.NDArray[np.int64]) -> ClickGraph:
        """Return the graph of the clicks before other ends, int64 [U]."""
        return count_clicks(self._interactions, ends, self.config.window_weights)

    # -- keeping -------------------------------------------------------------------------------

    def weights(self) -> dict[str, Tensor]:
        """Return copies of the weights that rank, by name."""
        ranking = self._average if self.config.average_decay > 0.0 else self._parameters
        return {name: p.detach().clone() for name, p in zip(self._names, ranking, strict=True)}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Rank with what `weights` returned; learning goes on from there too."""
        for name, parameter, average in zip(
            self._names, self._parameters, self._average, strict=True
        ):
            parameter.data.copy_(weights[name])
            average.copy_(weights[name])

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything that learning goes on from, as tensors and JSON values."""
        tensors = {"random": self.model.generator.get_state()}
        for name, parameter, average in zip(
            self._names, self._parameters, self._average, strict=True
        ):
            tensors[f"weight.{name}"] = parameter.detach().clone()
            tensors[f"average.{name}"] = average.clone()
            for moment, value in self._adam.state.get(parameter, {}).items():
                tensors[f"adam.{name}.{moment}"] = value.clone()
        return tensors, {"steps": self.steps, "random": self._rng.bit_generator.state}

    def restore(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Go on from what `state` returned.

        Raises
        ------
        SnapshotError
            It is of another model.
        """
        try:
            for name, parameter, average in zip(
                self._names, self._parameters, self._average, strict=True
            ):
                parameter.data.copy_(tensors[f"weight.{name}"])
                average.copy_(tensors[f"average.{name}"])
                self._adam.state[parameter] = {
                    moment: tensors[f"adam.{name}.{moment}"].clone()
                    for moment in MOMENTS
                    if f"adam.{name}.{moment}" in tensors
                }
        except (KeyError, RuntimeError) as error:
            raise SnapshotError(f"the kept state is of another model: {error}") from error
        self.model.generator.set_state(tensors["random"].clone())
        self._rng.bit_generator.state = document["random"]
        self.steps = int(document["steps"])

    def _ranks(
        self, cases: Cases, counted: ClickGraph, *, mask_seen: bool
    ) -> npt.NDArray[np.int32]:
        reader = self._reader if counted is self._learned else self._read_with(counted)
        levels = torch.from_numpy(popularity_level(counted.graph.popularity))
        ranks = np.empty(len(cases), np.int32)
        # Users of like length together, so that little is padding.
        order = np.argsort(cases.history_lengths(self._interactions), kind="stable")
        for start in range(0, len(order), RANKED_USERS):
            chosen = np.sort(order[start : start + RANKED_USERS])
            scores = self._scores(cases[chosen], reader, levels)
            ranks[chosen] = rank_cases(
                scores.numpy(), self._interactions, cases[chosen], mask_seen=mask_seen
            )
        return ranks

    def _scores(self, cases: Cases, reader: PositionReader, levels: Tensor) -> Tensor:
        """Return the joint scores [m, N] of m cases; `levels` are [N, S] popularity channels."""
        length, scales = self.model.config.history_length, self.model.config.scales
        firsts = np.maximum(self._interactions.starts[cases.users], cases.positions - length)
        windows = pack_windows(self._interactions, cases.users, firsts, cases.positions)
        last = windows.packed.last
        features = reader.read(cases.users, cases.positions, np.full(len(last), -1))
        # The context of older clicks enters nothing that is asked for here.
        contexts = np.zeros((len(windows.users), features.context.shape[1]), np.float32)
        contexts[last] = features.context
        views = self._encode(windows, contexts)
        newest = torch.from_numpy(last)
        vectors = (views.trust.gains * views.vectors).index_select(0, newest)
        weights = views.trust.channels.index_select(0, newest)
        scores = self._buffer.rows(len(last), len(self._items), vectors)
        torch.mm(vectors, self._items.T, out=scores)
        scores.addmm_(weights[:, :scales], levels.T)
        entries, values = self._graph_additions(features, weights)
        scores.view(-1).index_add_(0, entries, values)
        return scores

    def _swap(self) -> None:
        """Exchange the weights with their running average."""
        for parameter, average in zip(self._parameters, self._average, strict=True):
            kept = parameter.detach().clone()
            parameter.data.copy_(average)
            average.copy_(kept)


def popularity_level(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the popularity channel of items with so many clicks (see `gsr.channels`)."""
    floor = 2.0**-7
    found: npt.NDArray[np.float32] = np.log(np.maximum(counts, floor)).astype(np.float32)
    return found
