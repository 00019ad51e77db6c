"""Checks of topics, record by record, against the promises of docs/events.md and docs/kafka.md."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

EXAMPLES: Final = 3
"""So many cases of each fault are told in full."""


@dataclass(frozen=True, slots=True)
class SentClick:
    """A click that the broker has acknowledged.

    Parameters
    ----------
    user, item
        Its ids.
    offset
        Where it is in its partition of `clicks`.
    appended
        When the broker took it, seconds since the epoch.
    """

    user: str
    item: str
    offset: int
    appended: float


@dataclass(frozen=True, slots=True)
class ReadList:
    """A record of `recommendations`.

    Parameters
    ----------
    user
        Its key.
    offset
        Where it is in its partition.
    appended
        When the broker took it, seconds since the epoch.
    items
        Best first.
    model_version, source_offset
        As in the record.
    """

    user: str
    offset: int
    appended: float
    items: tuple[str, ...]
    model_version: int
    source_offset: int | None

    @property
    def knows(self) -> int:
        """The offset of the newest click that it knows of, -1 for none."""
        return -1 if self.source_offset is None else self.source_offset


@dataclass
class Judgement:
    """Broken promises: how often each was, with some examples.

    Parameters
    ----------
    faults
        Name of the fault to how often it was found; none is what is wanted.
    examples
        The first few of each.
    waits
        Seconds from a click to the first list of its user that knows it, click by click.
    """

    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def blame(self, fault: str, detail: str) -> None:
        """Note a fault."""
        self.faults[fault] += 1
        if self.faults[fault] <= EXAMPLES:
            self.examples.append(f"{fault}: {detail}")


def judge_lists(clicks: Iterable[SentClick], lists: Iterable[ReadList]) -> Judgement:
    """Check every list of every user who clicked.

    A user without a list is *missing* one; a newest list that does not know the newest click is
    *stale*; one that holds an item clicked before is *seen*; one whose version or click is older
    than that of the list before it goes *backward*; *empty* and *repeated* speak for themselves.
    """
    found = Judgement()
    clicked, listed = (
        defaultdict[str, list[SentClick]](list),
        defaultdict[str, list[ReadList]](list),
    )
    for click in clicks:
        clicked[click.user].append(click)
    for each in lists:
        listed[each.user].append(each)
    for user, own in clicked.items():
        _judge_user(
            user,
            sorted(own, key=lambda click: click.offset),
            sorted(listed[user], key=lambda each: each.offset),
            found,
        )
    for user in listed.keys() - clicked.keys():
        found.blame("unasked", f"{user} has a list and never clicked")
    return found


def judge_dead_letters(
    poison: Sequence[tuple[int, int]], letters: Sequence[tuple[int, int]]
) -> Judgement:
    """Check that each poison record became a dead letter once, and nothing else did.

    Parameters
    ----------
    poison
        Partition and offset of each bad record on `clicks`.
    letters
        The same, as the headers of the records on `clicks.dlq` name them.
    """
    found, told = Judgement(), Counter(letters)
    for place in poison:
        if told[place] == 0:
            found.blame("poison without a dead letter", str(place))
    for place, times in told.items():
        if place not in set(poison):
            found.blame("dead letter of a good click", str(place))
        elif times > 1:
            found.blame("dead letter twice", str(place))
    return found


def _judge_user(
    user: str, clicks: Sequence[SentClick], lists: Sequence[ReadList], found: Judgement
) -> None:
    if not lists:
        found.blame("missing", f"{user} clicked {len(clicks)} times and has no list")
        return
    if lists[-1].knows < clicks[-1].offset:
        found.blame(
            "stale", f"{user}'s list knows {lists[-1].knows}, the last click is {clicks[-1].offset}"
        )
    for before, after in pairwise(lists):
        if after.model_version < before.model_version or after.knows < before.knows:
            found.blame("backward", f"{user}: {before} then {after}")
    for each in lists:
        _judge_list(each, clicks, found)
    found.waits += _waits(clicks, lists)


def _judge_list(each: ReadList, clicks: Sequence[SentClick], found: Judgement) -> None:
    if not each.items:
        found.blame("empty", str(each))
    if len(set(each.items)) < len(each.items):
        found.blame("repeated", str(each))
    seen = {click.item for click in clicks if click.offset <= each.knows}
    if seen & set(each.items):
        found.blame("seen", f"{each} holds {sorted(seen & set(each.items))}")


def _waits(clicks: Sequence[SentClick], lists: Sequence[ReadList]) -> list[float]:
    """Return how long each click waited for the first list that knows it."""
    knows = np.maximum.accumulate([each.knows for each in lists])
    rows = np.searchsorted(knows, [click.offset for click in clicks])
    return [
        lists[row].appended - click.appended
        for click, row in zip(clicks, rows.tolist(), strict=True)
        if row < len(lists)
    ]
