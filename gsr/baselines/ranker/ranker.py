"""The ranker over counters as a baseline: it ranks each click, counts it, and learns from it.

A click is described just before it is counted: up to some hundred candidates with some thirty
features each. A linear score keeps the best of them, a network ranks these. Both learn from blocks
of a fixed number of examples, after all of a block were ranked: so what is learned, and every rank,
is the same but for rounding, however the stream is cut into batches. The network learns a block
together with an earlier one, and the features' means and deviations move on with it.

It learns from clicks of users with a history alone; others are ranked too, among popular items.
A clicked item that is no candidate, or that the linear score does not keep, is a miss.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.ranker.candidates import (
    MOST_CANDIDATES,
    new_workspace,
    room_for_described,
)
from gsr.baselines.ranker.counts import RankerCounts
from gsr.baselines.ranker.describe_and_add import describe_and_add
from gsr.baselines.ranker.features import switched_on
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.adam import Adam
from gsr.ranker.features import CONTEXT
from gsr.ranker.linear_score import LinearScore
from gsr.ranker.lookups import no_lookups
from gsr.ranker.network import ABSENT, Examples, RankingNetwork, log_weights_of
from gsr.ranker.replay import Block, ReplayBlocks
from gsr.ranker.scaling import Scaling
from gsr.ranker.selection import keep_best

NAME: Final = "ranker"

_ANY_NUMBER: Final = -1
"""In place of a limit on examples."""

_DESCRIBED_ROWS: Final = 64 * MOST_CANDIDATES
"""Candidates that are described at once, 6 MiB: they stay in a cache."""

_SCORED_AT_ONCE: Final = 64

NETWORK_RATE: Final = 0.003

LINEAR_STEP: Final = 100
"""Examples of one step of the linear score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerOptions:
    """How the ranker counts and learns.

    Parameters
    ----------
    session_gap_seconds
        Clicks of a user with a longer pause between them are not close by.
    without
        Groups of features that are switched off, see `gsr.baselines.ranker.features.GROUPS`.
    listed
        Candidates of every channel, and of popularity on every time scale.
    kept
        Candidates that the linear score leaves to the network.
    hidden
        Units of each of the network's two hidden layers.
    block
        Examples that the network learns at once, a multiple of `LINEAR_STEP`.
    step
        Examples of one step of the network.
    replay_blocks
        Earlier blocks that are kept, one of which is learned with each new one; 0: none.
    seed
        Of the first weights, and of the draw among earlier blocks.

    Raises
    ------
    ValueError
        A block is no multiple of `LINEAR_STEP`.
    """

    session_gap_seconds: float = np.inf
    without: tuple[str, ...] = ()
    listed: int = 100
    kept: int = 100
    hidden: int = 64
    block: int = 500
    step: int = 50
    replay_blocks: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if self.block <= 0 or self.block % LINEAR_STEP:
            raise ValueError(f"block must be a multiple of {LINEAR_STEP}, not {self.block}")


class CounterRanker:
    """The ranker over counters (see the module, and `gsr.baselines.interface.Baseline`).

    Parameters
    ----------
    options
        How it counts and learns.
    """

    def __init__(self, options: RankerOptions | None = None) -> None:
        self._options = options = options or RankerOptions()
        used = switched_on(options.without)
        width = len(used)
        rng = np.random.default_rng(options.seed)
        self._counts = RankerCounts(options.listed)
        self._work = new_workspace(0)
        self._described = room_for_described(options.block, _DESCRIBED_ROWS)
        self._values = np.zeros(MOST_CANDIDATES, dtype=np.float32)
        self._scaling = Scaling(used)
        self._context_scaling = Scaling(np.ones(len(CONTEXT), dtype=np.bool_))
        self._linear = LinearScore(len(used))
        self._network = RankingNetwork(width, len(CONTEXT), options.hidden, rng)
        self._adam = Adam(self._network.weights, NETWORK_RATE)
        self._replay = ReplayBlocks(options.replay_blocks, rng)
        self._waiting = Examples(
            features=np.zeros((options.block, options.kept, width), dtype=np.float32),
            context=np.zeros((options.block, len(CONTEXT)), dtype=np.float32),
            log_weights=np.zeros((options.block, options.kept), dtype=np.float32),
            targets=np.zeros(options.block, dtype=np.int64),
        )
        self._examples = 0  # that wait

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the one column of ranks."""
        return (NAME,)

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by counts and weights as they are, and count none."""
        return self._go_through(clicks, scored, mask_history, adding=False)

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by what was known before it, then count it, and learn from it later.

        Clicks are learned whether scored or not: those of weight above 0 on a known item, by a
        user with a history, which the item is not in where `mask_history`.
        """
        return self._go_through(clicks, scored, mask_history, adding=True)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`; what was learned from them stays."""
        self._counts.release(rows)

    def _go_through(
        self,
        clicks: CountedClicks,
        scored: npt.NDArray[np.bool_],
        mask_history: bool,
        *,
        adding: bool,
    ) -> npt.NDArray[np.int32]:
        ranks = np.full((len(clicks.targets), 1), MISS, dtype=np.int32)
        rows = (clicks.targets, clicks.histories, clicks.edge_sources, clicks.edge_targets)
        self._counts.reserve_items(max(int(column.max(initial=-1)) for column in rows) + 1)
        if len(self._work.barred) < self._counts.room:
            self._work = new_workspace(self._counts.room)
        most = int(np.diff(clicks.edge_starts).max(initial=0))
        done = 0
        while done < len(clicks.targets):
            if adding:
                self._counts.reserve_edges(most)
            done = describe_and_add(
                done,
                clicks,
                scored,
                mask_history,
                adding,
                self._options.session_gap_seconds,
                self._options.listed,
                LINEAR_STEP - self._examples % LINEAR_STEP if adding else _ANY_NUMBER,
                self._counts.arrays(),
                self._work,
                self._described,
            )
            if self._described.counts[0]:
                self._rank_described(scored, ranks, learning=adding)
            if adding and self._examples % LINEAR_STEP == 0:
                self._linear.step(self._scaling.inverses)
            if self._examples == self._options.block:
                self._learn()
        return ranks

    def _rank_described(
        self,
        scored: npt.NDArray[np.bool_],
        ranks: npt.NDArray[np.int32],
        *,
        learning: bool,
    ) -> None:
        """Fill the ranks of described clicks; let examples wait to be learned."""
        n = int(self._described.counts[0])
        starts = self._described.starts[: n + 1]
        if starts[n] == 0:
            return
        values = self._described.values[: starts[n]]
        np.log(values, out=values)
        targets = self._described.targets[:n]
        linear = self._linear.scores(values, self._scaling.inverses)
        kept = np.empty((n, self._options.kept), dtype=np.int64)
        places = np.empty(n, dtype=np.int64)
        keep_best(linear, starts, targets, self._values, kept, places)
        present, rows = kept >= 0, np.maximum(kept, 0)
        features = values[rows]
        if learning:
            learnable = self._described.learnable[:n]
            self._linear.note(values, linear, starts, targets, learnable)
            chosen = np.flatnonzero(learnable)
            waiting = slice(self._examples, self._examples + len(chosen))
            self._waiting.features[waiting] = features[chosen]
            self._waiting.context[waiting] = self._described.context[chosen]
            self._waiting.log_weights[waiting] = log_weights_of(present[chosen])
            self._waiting.targets[waiting] = places[chosen]
            self._examples = waiting.stop
        ranked = np.flatnonzero(scored[self._described.clicks[:n]] & (places >= 0))
        for first in range(0, len(ranked), _SCORED_AT_ONCE):
            some = ranked[first : first + _SCORED_AT_ONCE]
            scores = self._scores(features[some], self._described.context[some])
            own = scores[np.arange(len(some)), places[some]]
            above = (scores >= own[:, None]) & present[some]
            ranks[self._described.clicks[some], 0] = above.sum(axis=1)

    def _scores(
        self, features: npt.NDArray[np.float32], context: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the network's scores, float32 [n, K]; both arguments are standardised in place."""
        self._standardise(features, context)
        return self._network.scores(features, context)

    def _standardise(
        self, features: npt.NDArray[np.float32], context: npt.NDArray[np.float32]
    ) -> None:
        self._scaling.standardise(features)
        self._context_scaling.standardise(context)

    def _learn(self) -> None:
        """Learn the examples that wait, and an earlier block."""
        waiting = self._waiting.part(slice(0, self._examples))
        examples = waiting.part(np.flatnonzero(waiting.targets >= 0))
        self._examples = 0
        if len(examples.targets) == 0:
            return
        self._scaling.add(examples.features[examples.log_weights > ABSENT])
        self._context_scaling.add(examples.context)
        self._standardise(examples.features, examples.context)
        block = Block(examples, no_lookups(len(examples.targets)))
        for one in (block, self._replay.draw()) if len(self._replay) else (block,):
            for first in range(0, len(one.examples.targets), self._options.step):
                rows = slice(first, first + self._options.step)
                self._adam.step(self._network.gradients(one.examples.part(rows))[0])
        self._replay.add(block)
