"""A bounded memory of samples, for replay. Imports no torch."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.users.histories import Histories
from gsr.learning.samples import Samples

GROWTH: Final = 2
FIRST_ROWS: Final = 256

Columns = dict[str, npt.NDArray[np.generic]]


def to_columns(samples: Samples) -> Columns:
    """Return samples in compact columns: half floats for features, 32 bits for rows and ages."""
    h = samples.histories
    ages = np.where(np.arange(h.items.shape[1]) < h.lengths[:, None], h.now[:, None] - h.times, 0.0)
    return {
        "items": h.items.astype(np.int32),
        "ages": ages.astype(np.float32),
        "events": h.events,
        "lengths": h.lengths.astype(np.int32),
        "now": h.now,
        "candidates": samples.candidates.astype(np.int32),
        "log_inclusion": samples.log_inclusion.astype(np.float16),
        "features": samples.features.astype(np.float16),
        "context": samples.context.astype(np.float32),
        "edge_sources": samples.edge_sources.astype(np.int32),
        "edge_amounts": samples.edge_amounts.astype(np.float32),
        "user_hashes": samples.user_hashes,
    }


def from_columns(columns: Columns) -> Samples:
    """Return what `to_columns` made compact; ages and features are rounded."""
    now = columns["now"].astype(np.float64)
    lengths = columns["lengths"].astype(np.int64)
    times = now[:, None] - columns["ages"].astype(np.float64)
    times[np.arange(times.shape[1]) >= lengths[:, None]] = 0.0
    return Samples(
        Histories(
            columns["items"].astype(np.int64),
            times,
            columns["events"].astype(np.uint8),
            lengths,
            now,
        ),
        columns["candidates"].astype(np.int64),
        columns["log_inclusion"].astype(np.float32),
        columns["features"].astype(np.float32),
        columns["context"].astype(np.float32),
        columns["edge_sources"].astype(np.int64),
        columns["edge_amounts"].astype(np.float32),
        columns["user_hashes"].astype(np.uint64),
    )


class Reservoir:
    """Samples in a fixed number of bytes; once full, each new one replaces a random old one.

    So the age of what it holds is exponential: recent clicks are likely, old ones not gone.

    Parameters
    ----------
    max_bytes
        Memory that it may take; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._columns: Columns = {}
        self._used = 0
        self._capacity = 0

    def __len__(self) -> int:
        return self._used

    @property
    def nbytes(self) -> int:
        """Memory taken, in bytes."""
        return sum(column.nbytes for column in self._columns.values())

    def add(self, samples: Samples, rng: np.random.Generator) -> None:
        """Take in all `samples`; all must have the same widths."""
        columns = to_columns(samples)
        if len(samples) == 0 or not self._fit(columns):
            return
        appended = min(len(samples), self._capacity - self._used)
        places = np.arange(len(samples)) + self._used
        # Several may fall on one place: the last of them stays, as if added one by one.
        places[appended:] = rng.integers(self._capacity, size=len(samples) - appended)
        for name, column in columns.items():
            self._columns[name][places] = column
        self._used += appended

    def draw(self, count: int, rng: np.random.Generator) -> Samples | None:
        """Return `count` samples drawn uniformly without repeats, or fewer; None when empty."""
        count = min(count, self._used)
        if count == 0:
            return None
        chosen = rng.choice(self._used, count, replace=False, shuffle=False)
        return from_columns({name: column[chosen] for name, column in self._columns.items()})

    def forget(self, rows: npt.NDArray[np.int64]) -> None:
        """Drop item `rows`: as candidates, and whole samples that read, follow or clicked them."""
        if self._used == 0 or len(rows) == 0:
            return
        used = {name: column[: self._used] for name, column in self._columns.items()}
        gone = np.isin(used["candidates"], rows)
        read = np.isin(used["items"], rows).any(axis=1)
        kept = np.flatnonzero(~(gone[:, 0] | read))
        used["candidates"][gone] = -1
        for column in used.values():
            column[: len(kept)] = column[kept]
        self._used = len(kept)

    def columns(self) -> Columns:
        """Return copies of the columns of what it holds."""
        return {name: column[: self._used].copy() for name, column in self._columns.items()}

    def load(self, columns: Columns) -> None:
        """Hold exactly what `columns` returned, or as many of it as fit."""
        self._columns, self._used, self._capacity = {}, 0, 0
        if not columns or len(columns["now"]) == 0 or not self._fit(columns):
            return
        used = min(len(columns["now"]), self._capacity)
        for name, column in columns.items():
            self._columns[name][:used] = column[:used]
        self._used = used

    def _fit(self, columns: Columns) -> bool:
        """Make room for the columns as far as the limit allows; return whether there is any."""
        new = len(columns["now"])
        row_bytes = sum(c.nbytes for c in columns.values()) // new
        limit = self.max_bytes // row_bytes
        wanted = min(max(self._used + new, FIRST_ROWS), limit)
        if wanted > self._capacity:
            capacity = min(max(wanted, GROWTH * self._capacity), limit)
            for name, column in columns.items():
                larger = np.zeros((capacity, *column.shape[1:]), column.dtype)
                if self._used:
                    larger[: self._used] = self._columns[name][: self._used]
                self._columns[name] = larger
            self._capacity = capacity
        return self._capacity > 0
