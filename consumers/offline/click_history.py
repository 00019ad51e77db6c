"""History as a stream: clicks of an event file by event time, in batches of a cycle's length."""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from consumers.offline.history_file import HistoryOptions, no_events, skipped_rows
from consumers.runtime.progress import Progress, ProgressCallback
from gsr.counters.click_batch import ClickBatch
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.from_events import to_click_batch
from stream.events.files.reading import EventFile, FileSummary
from stream.events.files.sorting import sorted_events

CYCLE_CLICKS: Final = 200
"""So many clicks are learned together by default (`gsr.ranker.config.RankerLearning`)."""

WINDOWS: Final = 200
"""At most so many windows of time in a report."""

WINDOW_SECONDS: Final = (
    *(60.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 86_400.0),
    *(7 * 86_400.0, 30 * 86_400.0, 365 * 86_400.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHistoryOptions(HistoryOptions):
    """Events to feed the learning loop with, and in how large pieces.

    Parameters
    ----------
    cycle_clicks
        Clicks per cycle.
    """

    cycle_clicks: int = CYCLE_CLICKS


@dataclass(frozen=True, slots=True)
class ClickHistory:
    """An event file that was looked through once.

    Parameters
    ----------
    options
        See `ClickHistoryOptions`.
    file, summary
        The file, and what there is to read of it.
    skipped
        See `skipped_rows`.
    """

    options: ClickHistoryOptions
    file: EventFile
    summary: FileSummary
    skipped: dict[str, Any]

    @classmethod
    def look_through(
        cls, options: ClickHistoryOptions, progress: ProgressCallback, now: float
    ) -> "ClickHistory":
        """Open the file and read it once; `now` as in `HistoryOptions.open`.

        Raises
        ------
        EventFileError
            The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
        ConfigError
            A column's role does not exist.
        """
        file = options.open(now)
        progress(Progress(stage="looking through the file", done=0, total=0))
        summary = file.scan()
        if summary.events == 0:
            raise no_events(file, "nothing to learn from")
        return cls(options, file, summary, skipped_rows(file))

    @property
    def events(self) -> int:
        """How many events there are to read."""
        return min(self.summary.events, self.options.limit or self.summary.events)

    @property
    def window_seconds(self) -> float:
        """Length of a window of quality over time."""
        return window_seconds(self.summary)

    def batches(self, first_offset: int = 0, skip: int = 0) -> Iterator[ClickBatch]:
        """Yield all clicks, a cycle at a time.

        Parameters
        ----------
        first_offset
            Of the first click; offsets count up.
        skip
            Clicks, whole cycles of them, that are read and not yielded.
        """
        rules, offset = self.options.config.events.rules(), first_offset
        for columns in self.columns(self.options.cycle_clicks):
            first, offset = offset, offset + len(columns)
            if offset - first_offset > skip:
                yield to_click_batch(columns, rules, first)

    def columns(self, rows: int) -> Iterator[EventColumns]:
        """Yield all clicks by time, `rows` of them at a time, as the file tells them."""
        return cut(sorted_events(self.file, self.summary), rows, self.options.limit)


def window_seconds(summary: FileSummary) -> float:
    """Return the shortest usual span of which the stream holds at most `WINDOWS`."""
    length = (summary.last_time or 0.0) - (summary.first_time or 0.0)
    return next((w for w in WINDOW_SECONDS if length / w <= WINDOWS), WINDOW_SECONDS[-1])


def cut(batches: Iterator[EventColumns], rows: int, limit: int | None) -> Iterator[EventColumns]:
    """Yield the first `limit` events in batches of exactly `rows`, but for the last."""
    left = sys.maxsize if limit is None else limit
    waiting: list[EventColumns] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += len(batch)
        while held >= rows and left > 0:
            whole = _joined(waiting)
            size = min(rows, left)
            yield whole.part(0, size)
            left -= size
            waiting, held = [whole.part(size, held)], held - size
        if left <= 0:
            return
    if held and left > 0:
        yield _joined(waiting).part(0, min(held, left))


def _joined(parts: list[EventColumns]) -> EventColumns:
    if len(parts) == 1:
        return parts[0]
    chain = itertools.chain.from_iterable
    return EventColumns(
        list(chain(p.user_ids for p in parts)),
        list(chain(p.item_ids for p in parts)),
        np.concatenate([p.times for p in parts]),
        list(chain(p.events for p in parts)),
        list(chain(p.event_ids for p in parts)),
    )
