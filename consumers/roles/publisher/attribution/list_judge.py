"""The judgement of clicks: which list a user had, and where on it the clicked item stood."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.roles.publisher.attribution.replaced_lists import KeptList, ReplacedLists
from consumers.roles.publisher.attribution.sent_defaults import DEFAULT, SentDefaults
from consumers.roles.publisher.user_table import NOWHERE, REPLACED, RESTORED, UNSURE, UserTable
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.fingerprint import fingerprints_of
from gsr.counters.ids.id_column import IdColumn
from stream.events.clicks.codec import NamedLists
from stream.events.records.list_id import NO_LIST, parse_list_id

HIT, MISS, UNLISTED, UNKNOWN, COUNTED = range(5)
"""The item was on the list; it was not; the user had none; which one is not known; the process
before this one has counted the click."""
NO_REASON: Final = DEFAULT + 1


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What became of the lists of n clicks.

    Parameters
    ----------
    outcomes
        uint8 [n], `HIT` to `COUNTED`.
    places
        int32 [n], from 1, where the item stood; 0 but for hits.
    reasons
        uint8 [n], of the list, a place in `REASONS`, or `DEFAULT`; `NO_REASON` without a list.
    versions
        int64 [n], of the model that made the list; `NOWHERE` without one.
    named
        bool [n], whether the click named its list.
    """

    outcomes: npt.NDArray[np.uint8]
    places: npt.NDArray[np.int32]
    reasons: npt.NDArray[np.uint8]
    versions: npt.NDArray[np.int64]
    named: npt.NDArray[np.bool_]

    @classmethod
    def unknown(cls, named: npt.NDArray[np.bool_]) -> "Verdicts":
        """Return verdicts that are still to be filled in."""
        n = len(named)
        return cls(
            outcomes=np.full(n, UNKNOWN, dtype=np.uint8),
            places=np.zeros(n, dtype=np.int32),
            reasons=np.full(n, NO_REASON, dtype=np.uint8),
            versions=np.full(n, NOWHERE, dtype=np.int64),
            named=named,
        )


class ListJudge:
    """Finds the list that each click was made on.

    Parameters
    ----------
    users, replaced, defaults
        The newest list of each user, those that were before, and those of nobody in particular.
    """

    def __init__(self, users: UserTable, replaced: ReplacedLists, defaults: SentDefaults) -> None:
        self._users = users
        self._replaced = replaced
        self._defaults = defaults

    def judge(self, clicks: ClickBatch, lists: NamedLists) -> Verdicts:
        """Return what became of the lists of `clicks`, none of which asks to forget.

        Parameters
        ----------
        clicks
            n clicks of one partition.
        lists
            What they say that they were made on.
        """
        users, names = self._users, list(clicks.user_ids)
        rows = np.fromiter(map(users.row_of, names), np.int64, len(names))
        numbers, named = _numbers(lists)
        listed = (rows >= 0) & (users.listed_versions[rows] != NOWHERE)
        known_to = users.listed_click_offsets[rows]
        before = (users.listed_at[rows] <= clicks.append_times) & (known_to < clicks.offsets)
        its_own = (users.list_numbers[rows] == numbers) & (numbers != NO_LIST)
        counted = listed & (users.histories[rows] == RESTORED) & (known_to >= clicks.offsets)
        newest = listed & ~counted & np.where(named, its_own, before)
        found, marks = Verdicts.unknown(named), fingerprints_of(IdColumn.of(clicks.item_ids))
        found.outcomes[counted] = COUNTED
        self._judge_newest(np.flatnonzero(newest), rows, marks, found)
        for at in np.flatnonzero(~newest & ~counted).tolist():
            kept = (
                self._named(names[at], int(numbers[at]), int(clicks.offsets[at]))
                if named[at]
                else self._implied(
                    names[at],
                    int(rows[at]) if listed[at] else -1,
                    float(clicks.append_times[at]),
                    int(clicks.offsets[at]),
                )
            )
            if isinstance(kept, KeptList):
                _judge_kept(at, kept, marks, found)
            else:
                found.outcomes[at] = kept
        shown = named & (found.outcomes == HIT) & (lists.positions > 0)
        found.places[shown] = lists.positions[shown]
        return found

    def _judge_newest(
        self,
        at: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        marks: npt.NDArray[np.uint32],
        found: Verdicts,
    ) -> None:
        """Hold the clicks `at`, int64 [k], against the newest list of each one's user."""
        users, its_rows = self._users, rows[at]
        there = users.list_items[its_rows] == marks[at, None]
        hit = there.any(axis=1)
        found.outcomes[at] = np.where(hit, HIT, MISS)
        found.places[at[hit]] = there[hit].argmax(axis=1) + 1
        found.reasons[at] = users.list_reasons[its_rows]
        found.versions[at] = users.listed_versions[its_rows]

    def _named(self, user_id: str, number: int, offset: int) -> KeptList | int:
        """Return the list of a number, or why there is none."""
        if number == NO_LIST:
            return UNKNOWN
        for one in reversed(self._replaced.of(user_id)):
            if one.history == RESTORED and one.click_offset >= offset:
                return COUNTED
            if one.number == number:
                return one
        return self._defaults.numbered(number) or UNKNOWN

    def _implied(self, user_id: str, row: int, time: float, offset: int) -> KeptList | int:
        """Return the newest list made before a click, or why there is none.

        `row` is the user's where they have a list, which is too new, else -1.
        """
        users = self._users
        if row < 0:
            return self._default(time) if users.complete else UNKNOWN
        history = int(users.histories[row])
        for one in reversed(self._replaced.of(user_id)):
            if history != REPLACED:
                break
            if one.made_at <= time and one.click_offset < offset:
                return one
            if one.history == RESTORED and one.click_offset >= offset:
                return COUNTED
            history = one.history
        if history in (REPLACED, RESTORED, UNSURE):
            return UNKNOWN
        return self._default(time)

    def _default(self, time: float) -> KeptList | int:
        """Return the default list of `time`, or why there is none."""
        missing = UNLISTED if self._defaults.complete else UNKNOWN
        return self._defaults.at(time) or missing


def _numbers(lists: NamedLists) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Return the list number that each click names, and whether it names any."""
    named = lists.ids.lengths >= 0
    numbers = np.full(len(named), NO_LIST, dtype=np.uint64)
    for at in np.flatnonzero(named).tolist():
        text = lists.ids[at]
        numbers[at] = parse_list_id(None if text is None else text.decode())
    return numbers, named


def _judge_kept(at: int, kept: KeptList, marks: npt.NDArray[np.uint32], found: Verdicts) -> None:
    """Hold one click against a list."""
    places = np.flatnonzero(kept.marks == marks[at])
    found.outcomes[at] = HIT if len(places) else MISS
    found.places[at] = places[0] + 1 if len(places) else 0
    found.reasons[at] = kept.reason
    found.versions[at] = kept.version
