"""Recommendation lists from users' sequences, by scores of a model and of live counters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.serving.item_index import ItemIndex
from consumers.serving.scorers import Scorer
from consumers.serving.view import ServingView
from gsr.counters.users.histories import Histories
from gsr.ranker.asking import Asked, UserLists, asked
from stream.events.records.recommendation import ScoredItem
from stream.events.records.sequence import SequenceRecord, unpack_seen

UNKNOWN_EVENT: Final = 255
NO_ITEM: Final = -1
"""No generation of an item: its row offers nothing."""


@dataclass(frozen=True, slots=True)
class UserList:
    """The list of one user.

    Parameters
    ----------
    items
        Best first.
    cold
        Nothing is known that the model may read: the list is recent popularity.
    """

    items: list[ScoredItem]
    cold: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item is in a list.

    Parameters
    ----------
    item_id, score
        As in the list.
    parts
        Of a model: each group of features, and by how much the score would be lower if that group
        said of the item what it says of the average candidate
        (`gsr.ranker.explaining.group_parts`); these do not add up. Without a model: what each
        channel adds to the score (`gsr.votes.channels`).
    """

    item_id: str
    score: float
    parts: Mapping[str, float]


class Recommender:
    """Makes lists with one scorer on one view at a time.

    Parameters
    ----------
    event_weights
        Event name to weight, in the order of the codes.
    list_length
        Items per list.
    allow_repeats
        May lists hold items that the user has seen? What they hid (an event of negative weight
        in the buffer) never comes back.

    Attributes
    ----------
    arrivals
        Grows whenever an item may be in lists that might not be before: new ones, and those whose
        block was lifted.
    """

    def __init__(
        self, event_weights: Mapping[str, float], *, list_length: int, allow_repeats: bool = False
    ) -> None:
        self._codes = {name: code for code, name in enumerate(event_weights)}
        self._weights = tuple(event_weights.values())
        self._hiding = np.zeros(UNKNOWN_EVENT + 1, dtype=np.bool_)
        self._hiding[: len(self._weights)] = np.array(self._weights) < 0.0
        self._list_length = list_length
        self._allow_repeats = allow_repeats
        self._index = ItemIndex()
        self._blocked_ids: frozenset[str] = frozenset()
        self._blocked = np.zeros(0, dtype=np.bool_)
        self._alive = np.zeros(0, dtype=np.bool_)
        self._generations = np.zeros(0, dtype=np.int64)
        self._offered = np.full(0, NO_ITEM, dtype=np.int64)
        self._scorer: Scorer | None = None
        self.arrivals = 0

    def follow(self, view: ServingView, scorer: Scorer) -> None:
        """Serve from `view` with `scorer` from now on."""
        self._index.follow(view)
        self._view = view
        self._scorer = scorer
        self._alive, self._generations = view.graph.alive, view.generations
        self._blocked = self._index.mask(self._blocked_ids)
        scorer.follow(view, self._blocked)
        self._note_arrivals()

    def block(self, item_ids: Iterable[str]) -> None:
        """Keep exactly `item_ids` out of every list."""
        self._blocked_ids = frozenset(item_ids)
        self._blocked = self._index.mask(self._blocked_ids)
        if self._scorer is not None:
            self._scorer.block(self._blocked)
        self._note_arrivals()

    def _note_arrivals(self) -> None:
        """Compare which items may be in lists with what it was before, row by row."""
        offered = np.where(self._alive & ~self._blocked, self._generations, NO_ITEM)
        before = np.full(len(offered), NO_ITEM, dtype=np.int64)
        common = min(len(offered), len(self._offered))
        before[:common] = self._offered[:common]
        self.arrivals += bool(((offered != NO_ITEM) & (offered != before)).any())
        self._offered = offered

    def recommend(
        self, records: Sequence[SequenceRecord], length: int | None = None
    ) -> list[UserList]:
        """Return each user's list; shorter where there are not enough items left to show."""
        scorer = self._followed()
        users = self._asked(records, scorer)
        lists = scorer.lists(users, length or self._list_length)
        return self._user_lists(users, lists)

    def default_list(self, length: int) -> list[ScoredItem]:
        """Return the list of a user of whom nothing is known."""
        return self.recommend([_nobody()], length)[0].items

    def explain(
        self, record: SequenceRecord, length: int | None = None
    ) -> tuple[UserList, list[Explanation]]:
        """Return a user's list, and why each of its items is there."""
        scorer = self._followed()
        users = self._asked([record], scorer)
        lists, parts = scorer.explain(users, length or self._list_length)
        found = self._user_lists(users, lists)[0]
        columns = {name: values[0].tolist() for name, values in parts.items()}
        return found, [
            Explanation(
                item.item_id,
                item.score,
                {name: round(values[at], 6) for name, values in columns.items()},
            )
            for at, item in enumerate(found.items)
        ]

    def _followed(self) -> Scorer:
        if self._scorer is None:
            raise RuntimeError("there is no view to recommend from yet")
        return self._scorer

    def _user_lists(self, users: Asked, lists: UserLists) -> list[UserList]:
        ids = self._view.item_ids
        return [
            UserList(
                [
                    ScoredItem(ids[row], round(score, 6))
                    for row, score in zip(rows, scores, strict=True)
                    if row >= 0
                ],
                cold=not known,
            )
            for rows, scores, known in zip(
                lists.rows.tolist(), lists.scores.tolist(), users.lengths.tolist(), strict=True
            )
        ]

    def _asked(self, records: Sequence[SequenceRecord], scorer: Scorer) -> Asked:
        """Return the users as a scorer reads them."""
        raw = self._histories(records)
        return asked(
            raw.recent(scorer.history_length, self._weights),
            raw.lengths,
            [self._masked(record, row) for record, row in zip(records, raw.items, strict=True)],
        )

    def _histories(self, records: Sequence[SequenceRecord]) -> Histories:
        """Return the users' whole buffers in rows of the view; what it does not know is -1."""
        width = max(1, max((len(record.items) for record in records), default=1))
        count = len(records)
        items = np.full((count, width), -1, dtype=np.int64)
        times = np.zeros((count, width), dtype=np.float64)
        events = np.zeros((count, width), dtype=np.uint8)
        lengths = np.zeros(count, dtype=np.int64)
        now = np.full(count, self._view.reference_time)
        code = self._codes.get
        for at, record in enumerate(records):
            size = len(record.items)
            lengths[at] = size
            items[at, :size] = self._index.rows_of(record.items)
            times[at, :size] = record.times
            events[at, :size] = [code(name, UNKNOWN_EVENT) for name in record.events]
            now[at] = max(now[at], record.last_click_at)
        return Histories(items, times, events, lengths, now)

    def _masked(
        self, record: SequenceRecord, buffer: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the rows that this user must not get."""
        if not self._allow_repeats:
            return np.concatenate([buffer, self._index.rows_with(unpack_seen(record.seen))])
        hidden = [
            row
            for row, name in zip(buffer.tolist(), record.events, strict=False)
            if self._hiding[self._codes.get(name, UNKNOWN_EVENT)]
        ]
        return np.array(hidden, dtype=np.int64)


def _nobody() -> SequenceRecord:
    return SequenceRecord(
        user_id="",
        items=[],
        times=[],
        events=[],
        source_partition=0,
        source_offset=-1,
        next_offset=0,
        last_click_at=0.0,
        accepted_at=0.0,
    )
