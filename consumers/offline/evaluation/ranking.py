"""Ranks of one seed: the joint ranker, learned from validation cases, and the counters it reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from gsr.config import BatchConfig
from gsr.counters.config import CounterConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_learner import BatchLearner
from gsr.learning.case_counters import CaseCounters
from gsr.learning.case_ranker import CaseRanker, CaseVectors
from gsr.quality.protocols import Cases, Split, Stage, ends_at
from gsr.ranker.config import RankerConfig, RankerLearning

RANKING_THREADS: Final = 1
"""Of the ranker's matrix products: they are small, and more threads mostly spin."""

CANDIDATES: Final = 32
"""That a case is learned with: cases are few, and each may cost more than a stream's click."""

MOMENTS: Final = 100
"""Where live counters grow with time, at most so many groups of cases are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingSettings:
    """What ranks, and how it learns.

    Parameters
    ----------
    ranker
        Its shape; the counters have its time scales.
    batch
        How many candidates the vectors add, and how many passes the ranker learns.
    seed
        Of first weights and of the order of cases.
    mask_seen
        Whether rankings leave out what the user has seen.
    """

    ranker: RankerConfig
    batch: BatchConfig
    seed: int
    mask_seen: bool

    @property
    def learning(self) -> RankerLearning:
        """How the ranker learns: cases come again, so none is held back or replayed."""
        return RankerLearning(
            candidates=CANDIDATES, holdout=0.0, replay=0.0, replay_blocks=0, seed=self.seed
        )


def counted_for(ranker: RankerConfig, items: int) -> CounterConfig:
    """Return what is counted of `items` items for a ranker, on its time scales.

    Raises
    ------
    ValueError
        There can be no such time scale.
    """
    close = ranker.close_half_lives
    return CounterConfig(
        half_lives=ranker.half_lives,
        close_half_lives=close,
        close_clicks=CounterConfig().close_clicks if close else 0,
        max_items=max(items, 1),
    )


class StageRanks(NamedTuple):
    """Ranks of a stage's m cases, int32 [m] each.

    Parameters
    ----------
    frozen
        By counters of what is learned.
    live
        By counters that go on counting (`Stage.live_ends`). Where they do so by time, a case never
        sees a click at or after its target's time, except of its own history.
    """

    frozen: npt.NDArray[np.int32]
    live: npt.NDArray[np.int32]


@dataclass(slots=True)
class SeedRanking:
    """The ranker of one seed.

    Parameters
    ----------
    split
        Its validation cases teach the ranker.
    settings
        What ranks.
    """

    split: Split
    settings: RankingSettings
    _ranker: CaseRanker = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self._ranker = CaseRanker(
            settings.ranker,
            settings.learning,
            self.split.interactions,
            mask_seen=settings.mask_seen,
            nearest=settings.batch.nearest,
        )

    def learn(self, encoders: BatchLearner) -> None:
        """Learn the ranker from validation cases, which counters and encoders do not know."""
        stage = self.split.valid
        vectors = self._vectors(encoders, stage.cases)
        passes = self.settings.batch.ranking_passes
        with threadpool_limits(RANKING_THREADS):
            self._ranker.learn(stage.cases, self._counted(stage.learned_ends), vectors, passes)

    def ranks(self, encoders: BatchLearner, stage: Stage) -> StageRanks:
        """Return the ranks of a stage's cases."""
        vectors, counted = self._vectors(encoders, stage.cases), self._counted(stage.learned_ends)
        frozen = self._ranked(stage.cases, counted, vectors)
        if (stage.live_ends == stage.learned_ends).all():
            return StageRanks(frozen, frozen)
        live = np.empty_like(frozen)
        for rows, ends in _groups(self.split.interactions, stage):
            counted.count(ends)
            some = None if vectors is None else vectors.rows(rows)
            live[rows] = self._ranked(stage.cases[rows], counted, some)
        return StageRanks(frozen, live)

    def _ranked(
        self, cases: Cases, counted: CaseCounters, vectors: CaseVectors | None
    ) -> npt.NDArray[np.int32]:
        with threadpool_limits(RANKING_THREADS):
            return self._ranker.ranks(cases, counted, vectors)

    def _counted(self, ends: npt.NDArray[np.int64]) -> CaseCounters:
        ranker, clicks = self.settings.ranker, self.split.interactions
        shape = counted_for(ranker, clicks.item_count)
        counted = CaseCounters(clicks, shape, ranker.event_weights)
        counted.count(ends)
        return counted

    def _vectors(self, encoders: BatchLearner, cases: Cases) -> CaseVectors | None:
        return encoders.vectors(cases) if self.settings.ranker.vectors else None


def _groups(
    interactions: Interactions, stage: Stage
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield rows of cases by time, and up to where counters may know each user's clicks then."""
    if not stage.live_by_time:
        yield np.arange(len(stage.cases)), stage.live_ends
        return
    times = interactions.times[stage.cases.positions]
    order = np.argsort(times, kind="stable")
    for rows in np.array_split(order, min(MOMENTS, len(order))):
        # The group's first time: what came between it and a later target stays unknown.
        before = float(np.nextafter(times[rows[0]], -np.inf))
        yield np.sort(rows), np.minimum(stage.live_ends, ends_at(interactions, before))
