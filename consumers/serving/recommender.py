"""Recommendation lists from users' sequences, by scores of a model and of live counters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.serving.item_index import ItemIndex
from consumers.serving.made_lists import MadeLists, UserList
from consumers.serving.scorers import Scorer
from consumers.serving.view import ServingView
from gsr.counters.users.histories import Histories
from gsr.ranker.asked_users import NOTHING_SEEN, Asked, asked_users
from gsr.ranker.asking import UserLists
from gsr.reasons.explained_list import explained_list
from gsr.reasons.reason import Reason
from stream.events.records.recommendation import ScoredItem
from stream.events.records.sequence import SequenceRecord, unpack_seen

UNKNOWN_EVENT: Final = 255
NO_ITEM: Final = -1
"""No generation of an item: its row offers nothing."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item is in a list.

    Parameters
    ----------
    item_id, score
        As in the list.
    reason
        What carries the item; `gsr.reasons.words.in_words` says it to people.
    parts
        Of a model: each group of features, and by how much the score would be lower if that group
        said of the item what it says of the average candidate
        (`gsr.ranker.explaining.group_parts`); these do not add up. Without a model: what each
        channel adds to the score (`gsr.votes.channels`).
    """

    item_id: str
    score: float
    reason: Reason
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

    @property
    def index(self) -> ItemIndex:
        """Rows of the followed view by item."""
        return self._index

    @property
    def view(self) -> ServingView:
        """The followed view; there must be one."""
        self._followed()
        return self._view

    @property
    def listable(self) -> npt.NDArray[np.bool_]:
        """Rows that may be listed, bool [N]."""
        return self._alive & ~self._blocked

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

    def make(
        self,
        records: Sequence[SequenceRecord],
        length: int | None = None,
        excluded: Sequence[Sequence[str]] | None = None,
    ) -> MadeLists:
        """Make each user's list; shorter where there are not enough items left to show.

        Parameters
        ----------
        records
            Of n users.
        length
            Items of each list.
        excluded
            Of each user, items that must not be listed; None: none but those that never are.
        """
        scorer = self._followed()
        users = self._asked(records, scorer, self._histories(records), excluded)
        return self._made(users, scorer.lists(users, length or self._list_length))

    def recommend(
        self,
        records: Sequence[SequenceRecord],
        length: int | None = None,
        excluded: Sequence[Sequence[str]] | None = None,
    ) -> list[UserList]:
        """Return each user's list, as `make` makes it."""
        return self.make(records, length, excluded).user_lists()

    def default_list(self, length: int) -> list[ScoredItem]:
        """Return the list of a user of whom nothing is known."""
        return self.recommend([nobody()], length)[0].items

    def explain(
        self,
        record: SequenceRecord | None,
        length: int | None = None,
        excluded: Sequence[str] = (),
    ) -> tuple[UserList, list[Explanation]]:
        """Return a user's list, without `excluded`, and why each of its items is there.

        Of a user of None nothing is known. See `gsr.reasons.explained_list`.
        """
        scorer = self._followed()
        records = [record or nobody()]
        raw = self._histories(records)
        users = self._asked(records, scorer, raw, [excluded])
        explained, reasons = explained_list(
            scorer,
            users,
            raw,
            length or self._list_length,
            graph=self._view.graph,
            item_id=self._index.item_ids.__getitem__,
            history_length=scorer.history_length,
            event_weights=self._weights,
        )
        found = self._made(users, explained.lists).user_lists()[0]
        columns = {name: values[0].tolist() for name, values in explained.parts.items()}
        return found, [
            Explanation(
                item.item_id,
                item.score,
                reason,
                {name: round(values[at], 6) for name, values in columns.items()},
            )
            for at, (item, reason) in enumerate(zip(found.items, reasons, strict=True))
        ]

    def _followed(self) -> Scorer:
        if self._scorer is None:
            raise RuntimeError("there is no view to recommend from yet")
        return self._scorer

    def _made(self, users: Asked, lists: UserLists) -> MadeLists:
        return MadeLists(lists, users.lengths == 0, self._index.item_ids, self._index.fingerprints)

    def _asked(
        self,
        records: Sequence[SequenceRecord],
        scorer: Scorer,
        raw: Histories,
        excluded: Sequence[Sequence[str]] | None,
    ) -> Asked:
        """Return the users as a scorer reads them; `raw` are their `_histories`."""
        seen = [unpack_seen(record.seen) if record.seen else NOTHING_SEEN for record in records]
        return asked_users(
            raw,
            seen,
            self._index.by_fingerprint,
            history_length=scorer.history_length,
            event_weights=self._weights,
            repeats=self._allow_repeats,
            excluded=[self._index.rows_of(list(items)) for items in excluded or ()],
        )

    def _histories(self, records: Sequence[SequenceRecord]) -> Histories:
        """Return the users' whole buffers in rows of the view; what it does not know is -1."""
        count = len(records)
        lengths = np.array([len(record.items) for record in records], dtype=np.int64)
        there = np.arange(lengths.max(initial=1)) < lengths[:, None]
        items = np.full(there.shape, -1, dtype=np.int64)
        times = np.zeros(there.shape, dtype=np.float64)
        events = np.zeros(there.shape, dtype=np.uint8)
        total = int(lengths.sum())
        items[there] = self._index.rows_of(list(chain.from_iterable(r.items for r in records)))
        times[there] = np.fromiter(
            chain.from_iterable(record.times for record in records), np.float64, total
        )
        names = chain.from_iterable(record.events for record in records)
        codes = map(self._codes.get, names, repeat(UNKNOWN_EVENT))
        events[there] = np.fromiter(codes, np.uint8, total)
        clicked = np.fromiter((record.last_click_at for record in records), np.float64, count)
        now = np.maximum(clicked, self._view.reference_time)
        return Histories(items, times, events, lengths, now)


def nobody() -> SequenceRecord:
    """Return the sequence of a user of whom nothing is known."""
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
