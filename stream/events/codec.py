"""Bytes of the topic `clicks` to clicks, and back.

Decoding has two speeds. `click_fields.read_click` judges one record with care and defines what a
click is. Here, blocks of records go through the same decoder and through column-wise checks that
together imply that `read_click` would accept each of them; a block that fails any check is halved
until the records that cause it are alone, and those are read with care.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.events.bad_record import REASONS, BadRecord, Fault
from stream.events.click import (
    MAX_ID_BYTES,
    MAX_RECORD_BYTES,
    ClickBatch,
    EventRules,
)
from stream.events.click_encoding import encode_click, outgoing_clicks
from stream.events.click_fields import (
    CLICK_DECODER,
    MAX_NESTING,
    ClickFields,
    brackets,
    read_click,
)
from stream.events.click_hash import click_hash, click_hashes, name_hashes
from stream.events.click_times import GOOD, judge_times, time_fault
from stream.events.timestamps import parse_iso
from stream.log.interface import RecordBatch

__all__ = [
    "REASONS",
    "BadRecord",
    "ClickCodec",
    "Decoded",
    "click_hash",
    "encode_click",
    "outgoing_clicks",
]

_BLOCK: Final = 512
_SMALLEST_BLOCK: Final = 4
# A character takes at most 4 bytes of UTF-8.
_SURELY_SHORT: Final = MAX_ID_BYTES // 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch of records says.

    Parameters
    ----------
    clicks
        The clicks and forget rows, in log order.
    bad
        The other records, in log order.
    watermark
        The largest event time of any click so far, seconds since the epoch.
    """

    clicks: ClickBatch
    bad: list[BadRecord]
    watermark: float


class ClickCodec:
    """Decodes the records of `clicks`.

    The result depends on the records and the watermark alone, and is the same however the records
    are cut into batches.

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
        columns = _Columns(batch)
        for start in range(0, len(batch), _BLOCK):
            self._read(batch, columns, start, min(start + _BLOCK, len(batch)))
        return self._judge(batch, columns, watermark)

    def _read(self, batch: RecordBatch, columns: "_Columns", start: int, stop: int) -> None:
        """Append rows start..stop-1 to `columns`."""
        if self._read_block(batch, columns, start, stop):
            return
        if stop - start > _SMALLEST_BLOCK:
            middle = (start + stop) // 2
            self._read(batch, columns, start, middle)
            self._read(batch, columns, middle, stop)
            return
        for row in range(start, stop):
            columns.add(row, read_click(batch.keys[row], batch.values[row], self._codes))

    def _read_block(self, batch: RecordBatch, columns: "_Columns", start: int, stop: int) -> bool:
        """Append rows start..stop-1 if all are plainly good; else change nothing, say False.

        Every step below either proves for all rows what `read_click` asks of each, or gives up.
        """
        values = batch.values[start:stop]
        if not _plain_values(values):
            return False
        try:
            clicks = list(map(CLICK_DECODER.decode, values))  # type: ignore[arg-type]  # no None
            users = [click.user_id for click in clicks]
            items = [click.item_id for click in clicks]
            item_bytes = list(map(str.encode, items))
            keys_wanted = list(map(str.encode, users))
        except (ValueError, RecursionError):
            return False
        event_ids = [click.event_id for click in clicks]
        try:
            codes = bytes(map(self._codes.__getitem__, [click.event for click in clicks]))
        except KeyError:
            return False
        times = _plain_times([click.timestamp for click in clicks])
        if (
            times is None
            or keys_wanted != list(batch.keys[start:stop])
            or not _plain_ids(users)
            or not _plain_ids(items)
            or not _plain_ids([text for text in event_ids if text is not None])
        ):
            return False
        columns.extend(start, users, items, item_bytes, times, codes, event_ids)
        return True

    def _judge(self, batch: RecordBatch, columns: "_Columns", watermark: float) -> Decoded:
        """Judge the times, which depend on the rows before, and put the columns together."""
        rules = self.rules
        rows = np.array(columns.rows, dtype=np.int64)
        times = np.concatenate(columns.times) if columns.times else np.empty(0)
        codes = np.frombuffer(columns.codes, dtype=np.uint8)
        forget = np.zeros(len(rows), dtype=np.bool_)
        forget[columns.forget_rows] = True
        append_times = batch.append_times[rows]
        max_age = np.inf if rules.max_age_seconds is None else rules.max_age_seconds
        verdicts = np.zeros(len(rows), dtype=np.uint8)
        new_watermark = judge_times(
            times,
            append_times,
            forget,
            rules.future_tolerance_seconds,
            max_age,
            watermark,
            verdicts,
        )
        hashes = click_hashes(columns.item_bytes, times, self._kinds[codes], columns.event_ids)
        hashes[forget] = 0
        clicks = ClickBatch(
            user_ids=columns.users,
            item_ids=columns.items,
            times=times,
            events=codes,
            hashes=hashes,
            forget=forget,
            offsets=batch.offsets[rows],
            append_times=append_times,
        )
        bad = columns.bad
        mistimed = np.flatnonzero(verdicts)
        if len(mistimed):
            for row in mistimed.tolist():
                fault = time_fault(float(times[row]), float(append_times[row]), verdicts[row])
                columns.add(int(rows[row]), fault)
            bad.sort(key=lambda record: record.index)
            clicks = _rows_of(clicks, np.flatnonzero(verdicts == GOOD))
        return Decoded(clicks, bad, float(new_watermark))


@dataclass(slots=True)
class _Columns:
    """The good rows of a batch so far, column by column, and the bad ones."""

    batch: RecordBatch
    rows: list[int] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    item_bytes: list[bytes] = field(default_factory=list)
    times: list[npt.NDArray[np.float64]] = field(default_factory=list)
    codes: bytearray = field(default_factory=bytearray)
    event_ids: list[str | None] = field(default_factory=list)
    forget_rows: list[int] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)

    def extend(
        self,
        start: int,
        users: list[str],
        items: list[str],
        item_bytes: list[bytes],
        times: npt.NDArray[np.float64],
        codes: bytes,
        event_ids: list[str | None],
    ) -> None:
        """Append good rows, the first of which is row `start` of the batch."""
        self.rows += range(start, start + len(users))
        self.users += users
        self.items += items
        self.item_bytes += item_bytes
        self.times.append(times)
        self.codes += codes
        self.event_ids += event_ids

    def add(self, row: int, read: ClickFields | Fault) -> None:
        """Append row `row` of the batch, good or bad."""
        if isinstance(read, Fault):
            offset = int(self.batch.offsets[row])
            self.bad.append(BadRecord(row, offset, read.reason, read.detail))
            return
        if read.forget:
            self.forget_rows.append(len(self.rows))
        self.extend(
            row,
            [read.user_id],
            [read.item_id],
            [read.item_id.encode()],
            np.array([read.time]),
            bytes([read.code]),
            [read.event_id],
        )


def _plain_values(values: Sequence[bytes | None]) -> bool:
    """Say whether all values are there, of good size, UTF-8 and not deeply nested."""
    try:
        text = b"\n".join(values)  # type: ignore[arg-type]  # None is what the error is for
        # A value that is not UTF-8 cannot become so by a newline after it.
        if not text.isascii():
            text.decode()
    except (TypeError, UnicodeDecodeError):
        return False
    if max(map(len, values)) > MAX_RECORD_BYTES:  # type: ignore[arg-type]  # no None, see above
        return False
    # Every click has one bracket of its own, so that this bounds the deepest one.
    if brackets(text) - len(values) < MAX_NESTING:
        return True
    return max(map(brackets, values)) <= MAX_NESTING  # type: ignore[arg-type]  # the same


def _plain_ids(ids: list[str]) -> bool:
    """Say whether all ids have 1 to 256 bytes as UTF-8."""
    if not all(ids):
        return False
    if max(map(len, ids), default=0) <= _SURELY_SHORT:
        return True
    return max(len(text.encode()) for text in ids) <= MAX_ID_BYTES


def _plain_times(timestamps: list[int | float | str]) -> npt.NDArray[np.float64] | None:
    """Return seconds since the epoch, or None where not all timestamps are good."""
    seconds: Iterable[float | None]
    if str in set(map(type, timestamps)):
        seconds = [parse_iso(at) if isinstance(at, str) else at for at in timestamps]
    else:
        seconds = timestamps  # type: ignore[assignment]  # the line above saw no text
    try:
        times = np.array(seconds, dtype=np.float64)
    except OverflowError:
        return None
    # An unparsed time is None, which numpy turns into NaN; adding zero turns -0.0 into 0.0.
    return times + 0.0 if bool(np.all(times >= 0)) else None


def _rows_of(clicks: ClickBatch, rows: npt.NDArray[np.intp]) -> ClickBatch:
    kept = rows.tolist()
    return ClickBatch(
        user_ids=[clicks.user_ids[row] for row in kept],
        item_ids=[clicks.item_ids[row] for row in kept],
        times=clicks.times[rows],
        events=clicks.events[rows],
        hashes=clicks.hashes[rows],
        forget=clicks.forget[rows],
        offsets=clicks.offsets[rows],
        append_times=clicks.append_times[rows],
    )
