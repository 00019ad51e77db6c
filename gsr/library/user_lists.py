"""Lists from a loop's model and counters as they stand, by the rules of the service's lists."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.fingerprint_index import FingerprintIndex
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.histories import Histories
from gsr.counters.users.user_buffer import UserBuffer
from gsr.library.settings import StreamSettings
from gsr.loop.learning_loop import LearningLoop
from gsr.ranker.asked_users import NOTHING_SEEN, Asked, asked_users
from gsr.ranker.asking import Asker, Explained, UserLists
from gsr.reasons.explained_list import CANDIDATES, explained_list
from gsr.reasons.reason import Reason

LONGEST_LIST: Final = 1000


class ListsNow:
    """Answers from a loop that does not move; make a new one after it has learned.

    Parameters
    ----------
    loop
        Its model and counters.
    settings
        Say which events there are, and whether lists may repeat what was seen.
    """

    def __init__(self, loop: LearningLoop, settings: StreamSettings) -> None:
        self._loop = loop
        self._settings = settings
        counters = loop.mirror.arrays
        used = counters.items.used
        fingerprints = counters.items.columns.fingerprints[:used].copy()
        fingerprints[counters.items.columns.indexes[:used] < 0] = 0
        self._index = FingerprintIndex(fingerprints)
        self._asker: Asker | None = None
        self._excluded: frozenset[str] = frozenset()

    def lists(
        self, users: IdColumn, length: int, now: float | None, exclude: Collection[str]
    ) -> UserLists:
        """Return users' lists of at most `length` items; `now` is the newest click's time or later.

        Parameters
        ----------
        users
            n users; one of whom nothing is known gets what others click first.
        length
            1 to `LONGEST_LIST`.
        now
            When the next item is asked for, seconds since the epoch; None: at the newest click.
        exclude
            Items that nobody may get.
        """
        asked = self._read(*self._buffers(users, now))
        return self._asker_for(length, exclude).lists(asked, length)

    def explained(
        self, user: IdColumn, length: int, now: float | None, exclude: Collection[str]
    ) -> tuple[Explained, list[Reason]]:
        """Return the list of one user, and of each of its items why it is there."""
        raw, seen = self._buffers(user, now)
        counters, config = self._loop.mirror.arrays, self._loop.stream.model.config
        return explained_list(
            self._asker_for(max(length, CANDIDATES), exclude),
            self._read(raw, seen),
            raw,
            length,
            graph=counters.graph(),
            item_id=lambda row: counters.items.id_of(row) or "",
            history_length=config.history_length,
            event_weights=config.event_weights,
        )

    def session_list(
        self, items: Sequence[str], length: int, now: float | None, exclude: Collection[str]
    ) -> UserLists:
        """Return the list of somebody without a name who has just clicked `items`, oldest first.

        Items that are not known say nothing.
        """
        counters = self._loop.mirror.arrays
        rows = counters.item_rows(items)
        rows = rows[rows >= 0][-counters.config.buffer_length :]
        moment = counters.watermark if now is None else now
        event = list(self._settings.event_weights).index(self._settings.default_event)
        raw = Histories(
            rows[None],
            np.full((1, len(rows)), moment),
            np.full((1, len(rows)), event, dtype=np.uint8),
            np.array([len(rows)]),
            np.array([moment]),
        )
        return self._asker_for(length, exclude).lists(self._read(raw, [NOTHING_SEEN]), length)

    def _buffers(
        self, users: IdColumn, now: float | None
    ) -> tuple[Histories, list[npt.NDArray[np.uint32]]]:
        """Return the users' whole buffers, and their seen filters."""
        counters = self._loop.mirror.arrays
        buffers = counters.user_buffers(users)
        longest = max([len(one) for one in buffers if one is not None], default=0)
        shape = len(buffers), max(longest, 1)
        items: npt.NDArray[np.int64] = np.full(shape, -1, dtype=np.int64)
        times, events = np.zeros(shape), np.zeros(shape, dtype=np.uint8)
        lengths: npt.NDArray[np.int64] = np.zeros(len(buffers), dtype=np.int64)
        moments = np.full(len(buffers), counters.watermark)
        seen = [NOTHING_SEEN] * len(buffers)
        for place, buffer in enumerate(buffers):
            if buffer is None:
                continue
            there = buffer.items >= 0
            lengths[place] = count = int(there.sum())
            items[place, :count] = buffer.items[there]
            times[place, :count] = buffer.times[there]
            events[place, :count] = buffer.events[there]
            moments[place] = max(buffer.last_click_at, counters.watermark)
            seen[place] = _seen(buffer, there)
        if now is not None:
            moments[:] = now
        return Histories(items, times, events, lengths, moments), seen

    def _read(self, raw: Histories, seen: Sequence[npt.NDArray[np.uint32]]) -> Asked:
        config = self._loop.stream.model.config
        return asked_users(
            raw,
            seen,
            self._index,
            history_length=config.history_length,
            event_weights=config.event_weights,
            repeats=self._settings.allow_repeats,
        )

    def _asker_for(self, length: int, exclude: Collection[str]) -> Asker:
        """Return who answers, with room for lists of `length`, without the items of `exclude`."""
        excluded = frozenset(exclude)
        if self._asker is None or self._asker.length < length or self._excluded != excluded:
            counters = self._loop.mirror.arrays
            blocked = np.zeros(counters.items.used, dtype=np.bool_)
            rows = counters.item_rows(sorted(excluded))
            blocked[rows[rows >= 0]] = True
            self._excluded = excluded
            self._asker = Asker(
                self._loop.stream.model,
                counters.graph(),
                row_slots=counters.config.row_slots,
                repeats=self._settings.allow_repeats,
                length=length,
                blocked=blocked,
            )
        return self._asker


def _seen(buffer: UserBuffer, there: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    """Return what the user has seen beside the items of the buffer that are still there."""
    if there.all():
        return buffer.seen
    return np.concatenate([buffer.seen, buffer.fingerprints[~there]])
