"""Batches of events cut to size."""

import itertools
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gsr.counters.click_batch import ClickBatch
from stream.events.clicks.click import EventColumns


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


def split_clicks(batch: ClickBatch, row: int) -> list[ClickBatch]:
    """Return `batch` in two at `row`, or whole where that is not inside of it."""
    if not 0 < row < len(batch):
        return [batch]
    return [slice_clicks(batch, 0, row), slice_clicks(batch, row, len(batch))]


def slice_clicks(batch: ClickBatch, start: int, stop: int) -> ClickBatch:
    """Return rows ``start : stop`` of `batch`."""
    rows = slice(start, stop)
    return ClickBatch(
        batch.user_ids[rows],
        batch.item_ids[rows],
        batch.times[rows],
        batch.events[rows],
        batch.hashes[rows],
        batch.forget[rows],
        batch.offsets[rows],
        batch.append_times[rows],
    )


def pick_clicks(batch: ClickBatch, rows: npt.NDArray[np.int64]) -> ClickBatch:
    """Return the clicks at `rows`, in that order."""
    return batch.rows(rows)
