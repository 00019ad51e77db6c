"""Lists per second of the processor: a learned model, asked for users whose buffers are full.

A shop's clicks are counted and some of them learned; then the counters become a view, as a trainer
writes it and a publisher reads it, and a recommender makes lists from it. Told apart are the scorer
alone, users in and lists out, and the whole recommender, which also finds the rows of the items
that users clicked.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.reports import spread
from benchmarks.stream_costs.learning import Clock, Stream, warm_up
from benchmarks.stream_costs.shop import SECONDS_BETWEEN_CLICKS, Shop
from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import serving_view
from consumers.serving.made_lists import UserList
from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Recommender
from consumers.serving.scorers import Scorer
from consumers.serving.view import ServingView, decode_view, encode_view
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
from gsr.ranker.asking import Explained, UserLists
from gsr.ranker.model import RankerModel
from stream.events.records.sequence import SequenceRecord

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsCase:
    """What is measured.

    Parameters
    ----------
    size
        Users, and items, of the shop.
    earlier
        Clicks that are counted only.
    learned
        Clicks that the model learns after them.
    users
        Who are asked for, in every round.
    together
        How many of them at once; several numbers, one after the other.
    rounds
        That are measured, after one that is not.
    seed
        Of the shop.
    """

    size: int
    earlier: int
    learned: int
    users: int
    together: tuple[int, ...]
    rounds: int
    seed: int = 0


class TimedScorer:
    """A scorer, and the time that its lists take.

    Parameters
    ----------
    scorer
        Makes the lists.
    clock
        Seconds of the processor.

    Attributes
    ----------
    seconds
        Of all lists so far.
    """

    def __init__(self, scorer: Scorer, clock: Clock) -> None:
        self._scorer = scorer
        self._clock = clock
        self.seconds = 0.0

    @property
    def version(self) -> int:
        """See `Scorer`."""
        return self._scorer.version

    @property
    def history_length(self) -> int:
        """See `Scorer`."""
        return self._scorer.history_length

    def follow(self, view: ServingView, blocked: npt.NDArray[np.bool_]) -> None:
        """See `Scorer`."""
        self._scorer.follow(view, blocked)

    def block(self, blocked: npt.NDArray[np.bool_]) -> None:
        """See `Scorer`."""
        self._scorer.block(blocked)

    def lists(self, users: Asked, length: int) -> UserLists:
        """See `Scorer`."""
        began = self._clock()
        try:
            return self._scorer.lists(users, length)
        finally:
            self.seconds += self._clock() - began

    def scores(self, users: Asked, items: npt.NDArray[np.int64]) -> Floats:
        """See `Scorer`."""
        return self._scorer.scores(users, items)

    def explain(self, users: Asked, length: int) -> Explained:
        """See `Scorer`."""
        return self._scorer.explain(users, length)


class WrongListsError(Exception):
    """The lists are not what was asked for, so their figures mean nothing."""


def measure_lists(case: ListsCase, clock: Clock = time.process_time) -> dict[str, Any]:
    """Measure a case in this process.

    Raises
    ------
    WrongListsError
        A list is too short, or holds an item that its user has clicked.
    """
    config = GsrConfig()
    view, model, shop = learned(case, clock)
    records = full_buffers(shop, case.users, config)
    scorer = TimedScorer(ModelScorer(model, VERSION, view.generations, repeats=False), clock)
    length = config.publisher.list_length
    recommender = Recommender(config.events.weights, list_length=length)
    for _ in range(2):  # the first time loads kernels
        began = clock()
        recommender.follow(view, scorer)
        recommender.make(records[:1])
        following = clock() - began
    for start in range(0, case.users, case.together[0]):
        some = records[start : start + case.together[0]]
        check(some, recommender.recommend(some), length)
    return {
        "list_length": length,
        "clicks_in_buffer": len(records[0].items),
        "items_known": len(view),
        "new_view_milliseconds": round(1e3 * following, 1),
        "lists_per_cpu_second": {
            str(together): timed_rounds(recommender, scorer, records, case.rounds, together, clock)
            for together in case.together
        },
    }


def timed_rounds(
    recommender: Recommender,
    scorer: TimedScorer,
    records: list[SequenceRecord],
    rounds: int,
    together: int,
    clock: Clock,
) -> dict[str, Any]:
    """Ask for all users, so many at once, some rounds long; return lists per second."""
    scoring, whole = [], []
    for _ in range(1 + rounds):
        scored, began = scorer.seconds, clock()
        for start in range(0, len(records), together):
            recommender.make(records[start : start + together])
        whole.append(len(records) / (clock() - began))
        scoring.append(len(records) / (scorer.seconds - scored))
    return {
        "lists": len(records) * rounds,
        "scoring": spread(scoring[1:]),
        "whole_recommender": spread(whole[1:]),
    }


def learned(case: ListsCase, clock: Clock) -> tuple[ServingView, RankerModel, Shop]:
    """Return the counters of a shop as a publisher reads them, a model of them, and the shop."""
    warm_up(clock)
    stream = Stream(case.size, case.seed, clock)
    stream.count(case.earlier)
    stream.learn(case.learned)
    written = encode_view(serving_view(stream.loop.mirror, 0.0, {}))
    return decode_view(*written), stream.loop.stream.model, stream.shop


def full_buffers(shop: Shop, users: int, config: GsrConfig) -> list[SequenceRecord]:
    """Return users who have clicked as often as a buffer holds."""
    clicks = config.state.buffer_length
    numbers, items = shop.histories(users, clicks)
    times = shop.time - SECONDS_BETWEEN_CLICKS * np.arange(clicks)[::-1]
    return [
        SequenceRecord(
            user_id=f"u{number}",
            items=[f"i{item}" for item in clicked],
            times=times.tolist(),
            events=[config.events.default_event] * clicks,
            source_partition=0,
            source_offset=0,
            next_offset=1,
            last_click_at=shop.time,
            accepted_at=shop.time,
        )
        for number, clicked in zip(numbers.tolist(), items.tolist(), strict=True)
    ]


def check(asked: list[SequenceRecord], found: list[UserList], length: int) -> None:
    """Refuse lists that are too short, or that hold what their user has clicked.

    Raises
    ------
    WrongListsError
        One of them is, or does.
    """
    for record, made in zip(asked, found, strict=True):
        listed = {item.item_id for item in made.items}
        if len(listed) != length or listed & set(record.items):
            raise WrongListsError(f"{record.user_id} got {sorted(listed)} for {record.items}")
