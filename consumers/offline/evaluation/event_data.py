"""An event file as clicks of numbered users and items, with their ids."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from consumers.offline.history_file import no_events, skipped_rows
from consumers.runtime.progress import Progress, ProgressCallback, quiet
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.errors import SplitError
from gsr.quality.protocols import LEAVE_ONE_OUT, Split, leave_one_out, temporal
from stream.errors import EventFileError
from stream.events.clicks.rules import EventRules
from stream.events.files.reading import EventFile

Protocol: TypeAlias = Literal["leave-one-out", "temporal"]

_TOLD_EVERY: Final = 100_000
"""Events between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """Clicks of an event file, ready to be split.

    Parameters
    ----------
    file
        The file's name, without its directory.
    interactions
        Its clicks; users and items are numbered as they first appear.
    user_ids, item_ids
        U and N of them.
    weights
        float64 [codes], what each event is worth.
    sha256
        Of ids, times and events as they lie in `interactions`: the same for the same events,
        whatever the file's format and compression.
    skipped
        Bad rows as results name them, see `skipped_rows`.
    """

    file: str
    interactions: Interactions
    user_ids: Sequence[str]
    item_ids: Sequence[str]
    weights: npt.NDArray[np.float64]
    sha256: str
    skipped: dict[str, Any]

    @property
    def eligible(self) -> npt.NDArray[np.bool_]:
        """Which clicks may be predicted, bool [n]: those of events with a weight above 0."""
        above: npt.NDArray[np.bool_] = self.weights[self.interactions.events] > 0.0
        return above

    def shuffled_ties(self, seed: int) -> "EventData":
        """Return the same events with ties in random order; the hash stays that of the file."""
        rng = np.random.default_rng(seed)
        return replace(self, interactions=self.interactions.shuffled_ties(rng))

    def split(self, protocol: Protocol, *, quantile: float = 0.9, refit: bool = True) -> Split:
        """Return the split of a protocol; the other settings are those of the temporal one.

        Raises
        ------
        EventFileError
            There are too few events for it.
        """
        try:
            if protocol == LEAVE_ONE_OUT:
                return leave_one_out(self.interactions, self.eligible)
            return temporal(self.interactions, quantile, refit=refit, eligible=self.eligible)
        except SplitError as error:
            raise EventFileError(self.file, str(error)) from None

    def facts(self) -> dict[str, Any]:
        """Return the data's part of `metrics.json`."""
        return {
            "file": self.file,
            "users": len(self.user_ids),
            "items": len(self.item_ids),
            "events": len(self.interactions),
            "eligible_events": int(self.eligible.sum()),
            "first_time": float(self.interactions.times.min()),
            "last_time": float(self.interactions.times.max()),
            "sha256": self.sha256,
            **self.skipped,
        }


def read_event_data(
    file: EventFile,
    rules: EventRules,
    limit: int | None = None,
    progress: ProgressCallback = quiet,
) -> EventData:
    """Read a whole event file into memory.

    Parameters
    ----------
    file
        The file.
    rules
        What events are worth.
    limit
        Only the first so many events by time; None: all.
    progress
        Is told now and then.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad and the file says "fail".
    """
    columns = _read(file, rules, progress)
    if not len(columns.times):
        raise no_events(file, "nothing to evaluate")
    if limit is not None:
        columns = columns.rows(np.sort(np.argsort(columns.times, kind="stable")[:limit]))
    # Numbered after the limit, so that nobody has a number who does not appear.
    users, user_ids = _numbered(columns.users, columns.user_ids)
    items, item_ids = _numbered(columns.items, columns.item_ids)
    interactions = gather_interactions(
        users,
        items,
        columns.times,
        columns.events,
        user_count=len(user_ids),
        item_count=len(item_ids),
    )
    return EventData(
        file=file.name,
        interactions=interactions,
        user_ids=user_ids,
        item_ids=item_ids,
        weights=rules.weight_by_code,
        sha256=_digest(interactions, user_ids, item_ids),
        skipped=skipped_rows(file),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Events as they lie in the file."""

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    user_ids: list[str]
    item_ids: list[str]

    def rows(self, rows: npt.NDArray[np.intp]) -> "_Columns":
        return _Columns(
            self.users[rows],
            self.items[rows],
            self.times[rows],
            self.events[rows],
            self.user_ids,
            self.item_ids,
        )


def _read(file: EventFile, rules: EventRules, progress: ProgressCallback) -> _Columns:
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    codes = rules.codes
    parts: list[tuple[npt.NDArray[np.int64], ...]] = []
    times: list[npt.NDArray[np.float64]] = [np.zeros(0)]
    done = told = 0
    for batch in file.read():
        parts.append(
            (
                np.array([users.setdefault(user, len(users)) for user in batch.user_ids]),
                np.array([items.setdefault(item, len(items)) for item in batch.item_ids]),
                np.array([codes[name or rules.default_event] for name in batch.events]),
            )
        )
        times.append(batch.times)
        done += len(batch)
        if done >= told:
            told = done + _TOLD_EVERY
            progress(Progress(stage="reading", done=done, total=0))
    empty = np.zeros(0, dtype=np.int64)
    columns = [np.concatenate([empty, *column]) for column in zip(*parts, strict=True)]
    user_rows, item_rows, event_codes = columns or (empty, empty, empty)
    return _Columns(
        user_rows,
        item_rows,
        np.concatenate(times),
        event_codes.astype(np.uint8),
        list(users),
        list(items),
    )


def _numbered(
    rows: npt.NDArray[np.int64], ids: list[str]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Leave out the numbers that do not appear, and close the gaps."""
    present = np.zeros(len(ids), dtype=np.bool_)
    present[rows] = True
    numbers = np.cumsum(present) - 1
    return numbers[rows], [ids[row] for row in np.flatnonzero(present).tolist()]


def _digest(interactions: Interactions, user_ids: list[str], item_ids: list[str]) -> str:
    digest = hashlib.sha256()
    for ids in (user_ids, item_ids):
        encoded = [text.encode() for text in ids]
        digest.update(np.array([len(ids), *map(len, encoded)], dtype="<i8").tobytes())
        digest.update(b"".join(encoded))
    for column, kind in (
        (interactions.starts, "<i8"),
        (interactions.items, "<i8"),
        (interactions.times, "<f8"),
        (interactions.events, "u1"),
    ):
        digest.update(column.astype(kind).tobytes())
    return digest.hexdigest()
