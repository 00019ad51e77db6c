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
from gsr.channels import context_count
from gsr.click_graph import ClickGraph, count_clicks
from gsr.config import BatchConfig
from gsr.errors import SnapshotError, TrainingError
from gsr.history_windows import Windows, pack_windows
from gsr.interactions import Interactions
from gsr.model import JointModel, as_clicks
from gsr.network import Views
from gsr.optimisation import MOMENTS
from gsr.position_features import PositionFeatures, PositionReader, popularity_level
from gsr.protocols import Cases
from gsr.sampled_softmax import ItemSampler
from gsr.weight_average import WeightAverage

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
        Predictions that the encoders learned from; without encoders, those that trust did.
    steps
        Optimiser steps on them.
    loss
        Their mean negative log likelihood while learning.
    """

    positions: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What follows m clicks is asked for.

    Parameters
    ----------
    positions
        int64 [m], where they stand in `Interactions.items`.
    columns
        int64 [m], how many of their window's clicks are before them.
    targets
        int64 [m], the item that was clicked next.
    """

    positions: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]


class BatchLearner:
    """Learns a `JointModel` from the clicks before each user's end.

    The encoders learn to predict by themselves, from most users. How far they and the direct
    channels are to be trusted is learned from the newest click of each of the other users, whom
    the encoders have not seen.

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

    Attributes
    ----------
    trust_users
        int64, the users who teach trust.
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
        self.steps = self.trust_steps = 0
        self._interactions = interactions
        self._ends = ends
        self._rng = np.random.default_rng(seed)
        self._learned = self.count(ends)
        model.table.grow(interactions.item_count)
        self._levels = _levels(self._learned)
        self._reader = self._read_with(self._learned)
        self._items = nn.Parameter(model.table.weight)
        network = model.network
        if network.sequence is not None or network.mixes:
            network.trust.believe_vectors()
        self._named = {"items": self._items, **dict(network.named_parameters())}
        trust = {n: p for n, p in self._named.items() if n.startswith("trust.")}
        encoders = {n: p for n, p in self._named.items() if n not in trust}
        networks = [p for p in encoders.values() if p is not self._items]
        self._adam = torch.optim.AdamW(
            [
                {"params": [self._items], "lr": config.embedding_rate, "weight_decay": 0.0},
                {"params": [*trust.values()], "lr": config.trust_rate, "weight_decay": 0.0},
                {
                    "params": networks,
                    "lr": config.learning_rate,
                    "weight_decay": config.weight_decay,
                },
            ],
            fused=True,
        )
        self._rates = [float(group["lr"]) for group in self._adam.param_groups]
        self._encoder_average = WeightAverage([*encoders.values()], config.average_decay)
        self._trust_average = WeightAverage([*trust.values()], config.average_decay)
        averages = [*self._encoder_average.values, *self._trust_average.values]
        self._averages = dict(zip([*encoders, *trust], averages, strict=True))
        self._encoder_users, self.trust_users = self._teachers()
        self._sampler = ItemSampler(
            self._learned.graph.popularity[:, 0], config.sampled_items, self._rng
        )
        self._buffer = ScoreBuffer()

    # -- learning ------------------------------------------------------------------------------

    def learn_once(self, stop: Callable[[], bool] = lambda: False) -> Pass:
        """Go through all learned clicks once, or until `stop` says so between two steps.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        losses = []
        for windows in self._batches(self._encoder_users):
            losses.append((self._encoder_step(windows), len(windows.positions)))
            if stop():
                break
        # What is to be trusted are the averages, for they rank.
        with self._encoder_average.installed():
            trusted = [
                (self._trust_step(windows), len(windows.packed.last))
                for windows in self._batches(self.trust_users)
            ]
        steps = losses or trusted
        positions = sum(count for _, count in steps)
        total = sum(loss * count for loss, count in steps)
        return Pass(positions, len(steps), total / max(positions, 1))

    def _teachers(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the users who teach the encoders, and those who teach trust."""
        users = np.flatnonzero(self._ends - 1 > self._interactions.starts[:-1])
        shape = self.model.config
        if not (shape.sequence_encoder or shape.graph_encoder):
            return users[:0], users
        if not (shape.graph_channels or shape.popularity_channels):
            return users, users[:0]
        chosen = self._rng.random(len(users)) < self.config.trust_share
        return users[~chosen], users[chosen]

    def _batches(self, users: npt.NDArray[np.int64]) -> Iterator[Windows]:
        """Yield users' learned clicks, the newest `history_length` that have a successor."""
        starts, length = self._interactions.starts[:-1], self.model.config.history_length
        stops = self._ends - 1
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

    def _encoder_step(self, windows: Windows) -> float:
        """Have the user vectors alone predict what was clicked next."""
        network = self.model.network
        items = network.fusion.items(self._items, None)
        targets = self._interactions.items[windows.positions + 1]
        nothing = np.zeros((len(targets), context_count(self.model.config.scales)), np.float32)
        network.train()
        try:
            vectors = self._encode(windows, nothing, items).vectors
        finally:
            network.eval()
        hidden = self._seen(Asked(windows.positions, windows.packed.column, targets))
        if self.config.sampled_items:
            loss = self._sampled_loss(vectors, items, targets, hidden)
        else:
            values = torch.full((len(hidden),), HIDDEN)
            aims = torch.from_numpy(targets)
            loss = catalogue_loss(
                vectors, items, torch.from_numpy(hidden), values, aims, self._buffer
            )
        self._advance(loss)
        self.steps += 1
        self._encoder_average.follow(self.steps)
        return float(loss.detach())

    def _sampled_loss(
        self,
        vectors: Tensor,
        items: Tensor,
        targets: npt.NDArray[np.int64],
        hidden: npt.NDArray[np.int64],
    ) -> Tensor:
        drawn = self._sampler.draw(targets, hidden, HIDDEN)
        chosen = items.index_select(0, torch.from_numpy(drawn.items))
        corrections = torch.from_numpy(drawn.corrections)[:, None]
        return catalogue_loss(
            torch.cat((vectors, vectors.new_ones(len(vectors), 1)), dim=1),
            torch.cat((chosen, corrections), dim=1),
            torch.from_numpy(drawn.entries),
            torch.from_numpy(drawn.values),
            torch.from_numpy(drawn.targets),
            self._buffer,
        )

    def _trust_step(self, windows: Windows) -> float:
        """Have the whole score predict users' newest clicks; only what weighs its parts is moved.

        Older clicks would teach what held then, and as many as there are old ones.
        """
        newest = windows.packed.last
        users, positions = windows.users[newest], windows.positions[newest]
        targets = self._interactions.items[positions + 1]
        features = self._reader.read(users, positions + 1, targets)
        with torch.no_grad():
            items = self.model.network.fusion.items(self._items.detach(), None)
            views = self._encode(windows, self._contexts(windows, features.context), items)
            vectors = views.vectors.index_select(0, torch.from_numpy(newest))
        trust = self.model.network.trust(torch.from_numpy(features.context), vectors)
        entries, values = self._graph_additions(features, trust.channels)
        asked = Asked(positions, windows.packed.column[newest], targets)
        entries, values = self._trust_additions(asked, entries, values, trust.channels)
        # One inner product holds the popularity channels too.
        popular = _popularity_weights(trust.channels, features.moments, self._learned)
        loss = catalogue_loss(
            torch.cat((trust.gains * vectors, popular), dim=1),
            torch.cat((items, self._levels), dim=1),
            entries,
            values,
            torch.from_numpy(targets),
            self._buffer,
        )
        self._advance(loss)
        self.trust_steps += 1
        self._trust_average.follow(self.trust_steps)
        return float(loss.detach())

    def _advance(self, loss: Tensor) -> None:
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(self.model.network.parameters(), self.config.gradient_norm)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise TrainingError(
                f"the loss became {loss.item()} with a gradient norm of {norm.item()}: lower the "
                "learning rate"
            )
        warm = min(1.0, (self.steps + 1) / max(self.config.warm_up_steps, 1))
        for group, rate in zip(self._adam.param_groups, self._rates, strict=True):
            group["lr"] = rate * warm
        self._adam.step()

    # -- encoding ------------------------------------------------------------------------------

    def _read_with(self, counted: ClickGraph) -> PositionReader:
        config = self.model.config
        return PositionReader(
            self._interactions,
            counted,
            config.channel_history,
            config.channel_decay,
            self.config.source_power,
        )

    def _encode(self, windows: Windows, contexts: npt.NDArray[np.float32], items: Tensor) -> Views:
        """Encode after every click, with the fused vectors [N, d] of all items."""
        packed = windows.packed
        clicks = as_clicks(packed, packed.items, np.zeros((0, 0), np.float32))
        return self.model.network.encode_clicks(items, None, clicks, torch.from_numpy(contexts))

    @staticmethod
    def _contexts(windows: Windows, newest: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return contexts [T, F] that say something only after users' newest clicks."""
        contexts = np.zeros((len(windows.users), newest.shape[1]), np.float32)
        contexts[windows.packed.last] = newest
        return contexts

    def _graph_additions(
        self, features: PositionFeatures, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the flat places that have graph channels, and what these add to the scores."""
        rows = torch.from_numpy(features.rows)
        graph = weights[:, self.model.config.scales :].index_select(0, rows)
        values = (torch.from_numpy(features.values) * graph).sum(dim=1)
        entries = features.rows * self._interactions.item_count + features.items
        return torch.from_numpy(entries), values

    def _trust_additions(
        self, asked: Asked, entries: Tensor, values: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return flat places, ascending, and what is added to the scores there.

        The graph channels, as given; how the answers' popularity differs without the user's own
        clicks; and what hides the items of the history.
        """
        targets = asked.targets
        counts = self._learned.graph.popularity[targets, 0]
        own = self._learned.own_counts[asked.positions + 1]
        shift = torch.from_numpy(popularity_level(counts - own) - popularity_level(counts))
        answers = np.arange(len(targets)) * self._interactions.item_count + targets
        hidden = self._seen(asked)
        places = np.concatenate((entries.numpy(), answers, hidden))
        added = torch.cat((values, weights[:, 0] * shift, torch.full((len(hidden),), HIDDEN)))
        flat, where = np.unique(places, return_inverse=True)
        total = torch.zeros(len(flat)).index_add(0, torch.from_numpy(where), added)
        return torch.from_numpy(flat), total

    def _seen(self, asked: Asked) -> npt.NDArray[np.int64]:
        """Return the flat places of what the clicks up to each position hold, but for its target.

        Ascending; none where the history is not left out.
        """
        if not self.config.mask_seen:
            return np.zeros(0, np.int64)
        lengths, n = asked.columns + 1, self._interactions.item_count
        rows = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(rows)) - np.repeat(lengths.cumsum() - lengths, lengths)
        items = self._interactions.items[(asked.positions - asked.columns)[rows] + within]
        kept = items != asked.targets[rows]
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
        with self._encoder_average.installed(), self._trust_average.installed():
            return self._ranks(cases, counted or self._learned, mask_seen=mask_seen)

    def count(self, ends: npt.NDArray[np.int64]) -> ClickGraph:
        """Return the graph of the clicks before other ends, int64 [U]."""
        config = self.config
        return count_clicks(
            self._interactions, ends, config.window_weights, config.recent_half_life
        )

    # -- keeping -------------------------------------------------------------------------------

    def weights(self) -> dict[str, Tensor]:
        """Return copies of the weights that rank, by name."""
        return {name: value.clone() for name, value in self._averages.items()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Rank with what `weights` returned; learning goes on from there too."""
        for name, parameter in self._named.items():
            parameter.data.copy_(weights[name])
            self._averages[name].copy_(weights[name])

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything that learning goes on from, as tensors and JSON values."""
        tensors = {"random": self.model.generator.get_state()}
        for name, parameter in self._named.items():
            tensors[f"weight.{name}"] = parameter.detach().clone()
            tensors[f"average.{name}"] = self._averages[name].clone()
            for moment, value in self._adam.state.get(parameter, {}).items():
                tensors[f"adam.{name}.{moment}"] = value.clone()
        steps = {"steps": self.steps, "trust_steps": self.trust_steps}
        return tensors, {**steps, "random": self._rng.bit_generator.state}

    def restore(self, tensors: dict[str, Tensor], document: dict[str, Any]) -> None:
        """Go on from what `state` returned.

        Raises
        ------
        SnapshotError
            It is of another model.
        """
        try:
            for name, parameter in self._named.items():
                parameter.data.copy_(tensors[f"weight.{name}"])
                self._averages[name].copy_(tensors[f"average.{name}"])
                self._adam.state[parameter] = {
                    moment: tensors[f"adam.{name}.{moment}"].clone()
                    for moment in MOMENTS
                    if f"adam.{name}.{moment}" in tensors
                }
        except (KeyError, RuntimeError) as error:
            raise SnapshotError(f"the kept state is of another model: {error}") from error
        self.model.generator.set_state(tensors["random"].clone())
        self._rng.bit_generator.state = document["random"]
        self.steps, self.trust_steps = int(document["steps"]), int(document["trust_steps"])

    def _ranks(
        self, cases: Cases, counted: ClickGraph, *, mask_seen: bool
    ) -> npt.NDArray[np.int32]:
        reader = self._reader if counted is self._learned else self._read_with(counted)
        levels = _levels(counted)
        ranks = np.empty(len(cases), np.int32)
        # Users of like length together, so that little is padding.
        order = np.argsort(cases.history_lengths(self._interactions), kind="stable")
        for start in range(0, len(order), RANKED_USERS):
            chosen = np.sort(order[start : start + RANKED_USERS])
            scores = self._scores(cases[chosen], counted, reader, levels)
            ranks[chosen] = rank_cases(
                scores.numpy(), self._interactions, cases[chosen], mask_seen=mask_seen
            )
        return ranks

    def _scores(
        self, cases: Cases, counted: ClickGraph, reader: PositionReader, levels: Tensor
    ) -> Tensor:
        """Return the joint scores [m, N] of m cases; `levels` are those of `counted`."""
        length = self.model.config.history_length
        firsts = np.maximum(self._interactions.starts[cases.users], cases.positions - length)
        windows = pack_windows(self._interactions, cases.users, firsts, cases.positions)
        last = windows.packed.last
        features = reader.read(cases.users, cases.positions, np.full(len(last), -1))
        items = self.model.network.fusion.items(self._items, None)
        views = self._encode(windows, self._contexts(windows, features.context), items)
        newest = torch.from_numpy(last)
        vectors = (views.trust.gains * views.vectors).index_select(0, newest)
        weights = views.trust.channels.index_select(0, newest)
        scores = self._buffer.rows(len(last), len(items), vectors)
        torch.mm(vectors, items.T, out=scores)
        scores.addmm_(_popularity_weights(weights, features.moments, counted), levels.T)
        entries, values = self._graph_additions(features, weights)
        scores.view(-1).index_add_(0, entries, values)
        return scores


def _levels(counted: ClickGraph) -> Tensor:
    """Return the popularity channels of all items as columns, float32 [N, 1 + T]."""
    ever = popularity_level(counted.graph.popularity[:, :1])
    return torch.from_numpy(
        np.concatenate((ever, popularity_level(counted.recent.counts).T), axis=1)
    )


def _popularity_weights(
    channels: Tensor, moments: npt.NDArray[np.int64], counted: ClickGraph
) -> Tensor:
    """Return what `_levels` are multiplied with at m positions, [m, 1 + T].

    The first popularity channel is that of all clicks, the second that of the position's moment.
    """
    columns = torch.from_numpy(moments)[:, None]
    recent = channels.new_zeros(len(moments), len(counted.recent.moments))
    return torch.cat((channels[:, :1], recent.scatter(1, columns, channels[:, 1:2])), dim=1)
