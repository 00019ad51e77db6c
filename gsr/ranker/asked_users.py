"""Users as lists are asked for: what of their clicks is read, and which items they may not get."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.fingerprint_index import FingerprintIndex
from gsr.counters.users.histories import Histories

EVENT_CODES: Final = 256
"""That a byte holds."""

NOTHING_SEEN: Final = np.zeros(0, dtype=np.uint32)
"""A seen filter without marks."""


class Asked(NamedTuple):
    """Users who are asked about; n of them.

    Parameters
    ----------
    items, times, lengths
        int64 [n, H], float64 [n, H] and int64 [n]: what votes, oldest first.
    now
        float64 [n], when the next item is asked for.
    clicks
        int64 [n], in each user's buffer.
    masked, mask_starts
        int64, and int64 [n + 1]: user i must not get the item rows
        ``masked[mask_starts[i] : mask_starts[i + 1]]``; -1 is none.
    targets
        int64 [n], rows of clicked items, -1 where there is none.
    given
        int64 [n, M], item rows that are candidates and are kept whatever the counters say of them,
        but for what is masked; -1 is none.
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    now: npt.NDArray[np.float64]
    clicks: npt.NDArray[np.int64]
    masked: npt.NDArray[np.int64]
    mask_starts: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]


def asked(
    readable: Histories,
    clicks: npt.NDArray[np.int64],
    masked: list[npt.NDArray[np.int64]],
    targets: npt.NDArray[np.int64] | None = None,
    given: npt.NDArray[np.int64] | None = None,
) -> Asked:
    """Return users to ask about.

    Parameters
    ----------
    readable
        What votes of each (`Histories.recent`).
    clicks
        int64 [n], in each one's buffer.
    masked
        Of each user, int64 item rows that must not be listed.
    targets
        int64 [n]; None: nothing was clicked.
    given
        int64 [n, M]; None: no candidates are given.
    """
    starts = np.zeros(len(readable) + 1, dtype=np.int64)
    np.cumsum([len(rows) for rows in masked], out=starts[1:])
    return Asked(
        readable.items,
        readable.times,
        readable.lengths,
        readable.now,
        clicks,
        np.concatenate([np.zeros(0, dtype=np.int64), *masked]),
        starts,
        np.full(len(readable), -1, dtype=np.int64) if targets is None else targets,
        none_given(len(readable)) if given is None else given,
    )


def asked_users(
    raw: Histories,
    seen: Sequence[npt.NDArray[np.uint32]],
    index: FingerprintIndex,
    *,
    history_length: int,
    event_weights: tuple[float, ...],
    repeats: bool,
    excluded: Sequence[npt.NDArray[np.int64]] = (),
) -> Asked:
    """Return users to make lists for.

    Parameters
    ----------
    raw
        The whole buffer of each of n users, in rows of items; -1 for an item that is not known.
    seen
        Each user's seen filter: fingerprints of items that have left the buffer.
    index
        Rows by fingerprint.
    history_length
        How many of a user's newest readable clicks are read.
    event_weights
        Of each event code.
    repeats
        Whether lists may hold items that the user has seen. What they hid (an event of negative
        weight in the buffer) never comes back.
    excluded
        Of each user, int64 item rows that the list must not hold either, -1 for an item that is not
        known; empty: there are none.
    """
    readable = raw.recent(history_length, event_weights)
    hidden = np.arange(raw.items.shape[1]) < raw.lengths[:, None]
    if repeats:
        hiding = np.zeros(EVENT_CODES, dtype=np.bool_)
        hiding[: len(event_weights)] = np.array(event_weights) < 0.0
        hidden &= hiding[raw.events]
    owners, masked = np.nonzero(hidden)[0], raw.items[hidden]
    further: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]] = []
    if not repeats:
        rows, counts = index.rows_with(np.concatenate([NOTHING_SEEN, *seen]))
        further.append((np.repeat(_owners(seen), counts), rows))
    if excluded:
        further.append((_owners(excluded), np.concatenate(excluded)))
    if further:
        owners = np.concatenate((owners, *(by for by, _ in further)))
        masked = np.concatenate((masked, *(rows for _, rows in further)))
        masked = masked[np.argsort(owners, kind="stable")]
    starts = np.zeros(len(raw) + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=len(raw)), out=starts[1:])
    return Asked(
        readable.items,
        readable.times,
        readable.lengths,
        readable.now,
        raw.lengths,
        masked,
        starts,
        np.full(len(raw), -1, dtype=np.int64),
        none_given(len(raw)),
    )


def none_given(users: int) -> npt.NDArray[np.int64]:
    """Return no given candidates, int64 [users, 0]."""
    return np.zeros((users, 0), dtype=np.int64)


def _owners(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """Return the user of each element of all users' arrays."""
    return np.repeat(np.arange(len(parts)), [len(one) for one in parts])
