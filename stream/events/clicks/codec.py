"""Decoding of the topic `clicks`: records to clicks and bad records.

It has two speeds. `fields.read_click` judges one record with care and defines what a click is.
Plain records, which are nearly all, are read by a kernel (`plain_clicks`) that leaves every other
one to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.click_batch import ClickBatch
from gsr.counters.click_hashes import (
    click_hashes,
    name_hashes,
    put_event_id_hashes,
)
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import IdColumn
from stream.events.clicks.bad_record import BadRecord, Fault
from stream.events.clicks.fields import ClickFields, read_click
from stream.events.clicks.plain_clicks import PlainClickReader, PlainClicks
from stream.events.clicks.rules import EventRules
from stream.events.clicks.time_limits import GOOD, judge_times, time_fault
from stream.log.interface import RecordBatch

_ALL: Final = slice(None)


@dataclass(frozen=True, slots=True)
class NamedLists:
    """The lists that n clicks say they were made on.

    Parameters
    ----------
    ids
        The `list_id` of each; None where it has none.
    positions
        int32 [n], the `list_position` of each; 0 where it has none.
    """

    ids: ByteColumn
    positions: npt.NDArray[np.int32]

    def rows(self, rows: npt.NDArray[np.intp] | slice) -> "NamedLists":
        """Return those of some clicks."""
        ids = self.ids
        return NamedLists(
            ByteColumn(ids.data, ids.starts[rows], ids.lengths[rows]), self.positions[rows]
        )


@dataclass(frozen=True, slots=True)
class Decoded:
    """Clicks and bad records of a batch.

    Parameters
    ----------
    clicks
        The clicks and forget rows, in log order.
    bad
        The other records, in log order.
    watermark
        The largest event time of any click so far, seconds since the epoch.
    named
        The list that each of `clicks` names.
    """

    clicks: ClickBatch
    bad: list[BadRecord]
    watermark: float
    named: NamedLists


@dataclass(frozen=True, slots=True)
class _CarefulRows:
    """Rows that are not plain, as `read_click` reads them.

    Parameters
    ----------
    good
        Row to click, in log order.
    bad
        The bad records, in log order.
    """

    good: dict[int, ClickFields] = field(default_factory=dict)
    bad: list[BadRecord] = field(default_factory=list)


class ClickCodec:
    """Decodes the records of `clicks`.

    Each record is judged alone, so that the result is the same however records are cut into
    batches; the watermark is only carried on.

    Parameters
    ----------
    rules
        What makes a click acceptable.
    """

    def __init__(self, rules: EventRules) -> None:
        self.rules = rules
        codes: dict[str | None, int] = dict(rules.codes.items())
        codes[None] = codes[rules.default_event]
        self._codes: Mapping[str | None, int] = codes
        self._kinds = name_hashes(list(rules.weights))
        self._plain = PlainClickReader(codes)

    def decode(self, batch: RecordBatch, watermark: float) -> Decoded:
        """Decode the records of one partition.

        Parameters
        ----------
        batch
            Consecutive records.
        watermark
            The partition's watermark before them, seconds since the epoch; ``-inf`` before the
            first click.
        """
        keys, values = ByteColumn.of(batch.keys), ByteColumn.of(batch.values)
        plain = self._plain.read(keys, values)
        careful = self._read_with_care(batch, np.flatnonzero(~plain.plain).tolist())
        clicks, named = self._assemble(batch, keys, values, plain, careful)
        return self._judge(batch, clicks, named, careful.bad, watermark)

    def _read_with_care(self, batch: RecordBatch, rows: list[int]) -> _CarefulRows:
        """Read rows one by one."""
        careful = _CarefulRows()
        for row in rows:
            read = read_click(batch.keys[row], batch.values[row], self._codes)
            if isinstance(read, Fault):
                careful.bad.append(
                    BadRecord(row, int(batch.offsets[row]), read.reason, read.detail)
                )
            else:
                careful.good[row] = read
        return careful

    def _assemble(
        self,
        batch: RecordBatch,
        keys: ByteColumn,
        values: ByteColumn,
        plain: PlainClicks,
        careful: _CarefulRows,
    ) -> tuple[ClickBatch, NamedLists]:
        """Return the clicks whose times are still to be judged, column by column."""
        forget = np.zeros(len(batch), dtype=np.bool_)
        data = values.data
        if careful.good:
            data = _enter_careful(careful.good, plain, forget, data)
        rows: slice | npt.NDArray[np.int64] = _ALL
        if careful.bad:
            good = np.ones(len(batch), dtype=np.bool_)
            good[[bad.index for bad in careful.bad]] = False
            rows = np.flatnonzero(good)
        # A click's key is its user id.
        users = IdColumn.of_bytes(ByteColumn(keys.data, keys.starts[rows], keys.lengths[rows]))
        items = IdColumn.of_bytes(
            ByteColumn(data, plain.item_starts[rows], plain.item_lengths[rows])
        )
        times, codes, forget = plain.times[rows], plain.codes[rows], forget[rows]
        hashes = click_hashes(items.hashes, times, self._kinds[codes])
        put_event_id_hashes(
            hashes,
            data,
            plain.event_id_starts[rows],
            plain.event_id_lengths[rows],
        )
        hashes[forget] = 0
        clicks = ClickBatch(
            user_ids=users,
            item_ids=items,
            times=times,
            events=codes,
            hashes=hashes,
            forget=forget,
            offsets=batch.offsets[rows],
            append_times=batch.append_times[rows],
        )
        list_ids = ByteColumn(data, plain.list_id_starts, plain.list_id_lengths)
        return clicks, NamedLists(list_ids, plain.list_positions).rows(rows)

    def _judge(
        self,
        batch: RecordBatch,
        clicks: ClickBatch,
        named: NamedLists,
        bad: list[BadRecord],
        watermark: float,
    ) -> Decoded:
        """Judge the times; those that are good move the watermark."""
        verdicts = judge_times(clicks.times, clicks.append_times, clicks.forget, self.rules)
        mistimed = np.flatnonzero(verdicts)
        if len(mistimed):
            rows = np.searchsorted(batch.offsets, clicks.offsets[mistimed])
            for at, row in zip(mistimed.tolist(), rows.tolist(), strict=True):
                time, append_time = float(clicks.times[at]), float(clicks.append_times[at])
                fault = time_fault(time, append_time, verdicts[at])
                bad.append(BadRecord(row, int(clicks.offsets[at]), fault.reason, fault.detail))
            bad.sort(key=lambda record: record.index)
            good = np.flatnonzero(verdicts == GOOD)
            clicks, named = clicks.rows(good), named.rows(good)
        newest = np.max(clicks.times[~clicks.forget], initial=watermark)
        return Decoded(clicks, bad, float(newest), named)


def _enter_careful(
    good: Mapping[int, ClickFields],
    found: PlainClicks,
    forget: npt.NDArray[np.bool_],
    data: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]:
    """Enter clicks read with care into the columns; return the values' buffer with their ids."""
    more = bytearray()
    for row, click in good.items():
        item_id = click.item_id.encode()
        found.item_starts[row] = len(data) + len(more)
        found.item_lengths[row] = len(item_id)
        more += item_id
        event_id = b"" if click.event_id is None else click.event_id.encode()
        found.event_id_starts[row] = len(data) + len(more)
        found.event_id_lengths[row] = -1 if click.event_id is None else len(event_id)
        more += event_id
        list_id = b"" if click.list_id is None else click.list_id.encode()
        found.list_id_starts[row] = len(data) + len(more)
        found.list_id_lengths[row] = -1 if click.list_id is None else len(list_id)
        more += list_id
        found.list_positions[row] = click.list_position
        found.times[row] = click.time
        found.codes[row] = click.code
        forget[row] = click.forget
    return np.concatenate([data, np.frombuffer(more, dtype=np.uint8)])
