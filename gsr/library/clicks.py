"""Clicks of a data frame as the loop takes them: checked, in the order of time, in cycles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gsr.counters.click_batch import ClickBatch
from gsr.counters.click_hashes import click_hashes, name_hashes, put_event_id_hashes
from gsr.counters.ids.byte_column import NONE, ByteColumn
from gsr.counters.ids.id_column import MAX_ID_BYTES, IdColumn
from gsr.counters.time_units import SECONDS_END, likely_unit
from gsr.errors import ClicksError
from gsr.library.frames import read_frame
from gsr.library.settings import StreamSettings

WANTED: Final = ("user_id", "item_id", "timestamp")
OPTIONAL: Final = ("event", "event_id")

_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class FrameClicks:
    """The clicks of a data frame by time; equal times keep the frame's order.

    Parameters
    ----------
    batch
        All of them; offsets count from 0.
    kind
        Of the frame.
    """

    batch: ClickBatch
    kind: nw.Implementation

    def __len__(self) -> int:
        return len(self.batch)

    def cycles(self, clicks: int) -> Iterator[ClickBatch]:
        """Yield them in order, so many at a time."""
        for start in range(0, len(self), clicks):
            yield self.batch.slice(start, min(start + clicks, len(self)))


def read_clicks(frame: Any, settings: StreamSettings, first_offset: int = 0) -> FrameClicks:
    """Return the clicks of a data frame.

    Parameters
    ----------
    frame
        With the columns of `WANTED`, and perhaps those of `OPTIONAL`.
    settings
        Say which events there are.
    first_offset
        Of the first click.

    Raises
    ------
    ClicksError
        A column is missing, of the wrong type, or holds nulls or values that make no sense.
    """
    columns, kind = read_frame(frame, WANTED, OPTIONAL)
    times = _times(columns["timestamp"])
    users = id_column(columns["user_id"], "user_id")
    items = id_column(columns["item_id"], "item_id")
    events, kinds = _events(columns.get("event"), len(times), settings)
    hashes = click_hashes(items.hashes, times, kinds)
    if "event_id" in columns:
        _put_event_ids(columns["event_id"], hashes)
    count = len(times)
    batch = ClickBatch(
        user_ids=users,
        item_ids=items,
        times=times,
        events=events,
        hashes=hashes,
        forget=np.zeros(count, dtype=np.bool_),
        offsets=np.zeros(count, dtype=np.int64),
        append_times=times,
    )
    if count and (np.diff(times) < 0.0).any():
        batch = batch.rows(np.argsort(times, kind="stable"))
    batch.offsets[:] = np.arange(first_offset, first_offset + count)
    return FrameClicks(batch, kind)


def id_column(column: pa.ChunkedArray, name: str) -> IdColumn:
    """Return ids, which may be text, whole numbers or categories.

    Raises
    ------
    ClicksError
        They are something else, or one is missing, empty or too long.
    """
    _refuse_nulls(column, name)
    data, starts, lengths = _bytes(_text(column, name))
    bad = np.flatnonzero((lengths == 0) | (lengths > MAX_ID_BYTES))
    if len(bad):
        row = int(bad[0])
        what = "is empty" if lengths[row] == 0 else f"has {lengths[row]} bytes"
        raise ClicksError(f"{name} of row {row} {what}: give 1 to {MAX_ID_BYTES} bytes of UTF-8")
    return IdColumn.of_bytes(ByteColumn(data, starts, lengths))


def seconds_of(moment: Any) -> float:
    """Return a moment, a number of seconds or a datetime, as seconds since the epoch.

    Raises
    ------
    ClicksError
        It is something else, or out of range.
    """
    try:
        column = pa.chunked_array([pa.array([moment])])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ClicksError(f"{moment!r} is no moment: give a datetime or seconds") from error
    return float(_times(column, "now")[0])


def _times(column: pa.ChunkedArray, name: str = "timestamp") -> npt.NDArray[np.float64]:
    _refuse_nulls(column, name)
    kind, types = column.type, pa.types
    if types.is_timestamp(kind) or types.is_date(kind):
        zone = kind.tz if types.is_timestamp(kind) else None
        # Whole microseconds are exact in float64; finer parts are cut off.
        whole = pc.cast(pc.cast(column, pa.timestamp("us", zone), safe=False), pa.int64())
        times: npt.NDArray[np.float64] = whole.to_numpy() / 1e6
    elif types.is_integer(kind) or types.is_floating(kind):
        times = column.to_numpy().astype(np.float64)
    else:
        raise ClicksError(
            f"{name} is {kind}: give datetimes, or numbers of seconds since 1970-01-01 UTC"
        )
    wrong = np.flatnonzero(~(np.abs(times) < SECONDS_END))
    if len(wrong):
        time = float(times[wrong[0]])
        unit = likely_unit(time)
        advice = f"it looks like {unit}, give seconds" if unit else "give seconds since 1970"
        raise ClicksError(f"{name} of row {int(wrong[0])} is {time:g}: {advice}")
    return times


def _events(
    column: pa.ChunkedArray | None, count: int, settings: StreamSettings
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    """Return the code of each event and the hash of its name, uint8 [n] and uint64 [n]."""
    names = list(settings.event_weights)
    default = names.index(settings.default_event)
    codes = np.full(count, default, dtype=np.uint8)
    if column is not None and column.null_count < count:
        found = pc.dictionary_encode(_text(column, "event").combine_chunks())
        known = found.dictionary.to_pylist()
        unknown = [name for name in known if name not in settings.event_weights]
        if unknown:
            raise ClicksError(
                f"event {unknown[0]!r} is none of {_listed(settings.event_weights)}: give it a "
                "weight in event_weights, or leave such rows out"
            )
        places = pc.fill_null(found.indices, len(known)).to_numpy(zero_copy_only=False)
        codes = np.array([*map(names.index, known), default], dtype=np.uint8)[places]
    return codes, name_hashes(names)[codes]


def _put_event_ids(column: pa.ChunkedArray, hashes: npt.NDArray[np.uint64]) -> None:
    """Let events be told apart by their ids, where they have some."""
    if column.null_count == len(column):
        return
    text = _text(column, "event_id")
    data, starts, lengths = _bytes(text)
    lengths[text.is_null().to_numpy()] = NONE
    put_event_id_hashes(hashes, data, starts, lengths)


def _text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column as text, its whole numbers written out, its categories by name."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
        column = pc.cast(column, kind)
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not (text or types.is_integer(kind)):
        raise ClicksError(f"{name} is {kind}: give text or whole numbers")
    return pc.cast(column, pa.large_string())


def _bytes(
    column: pa.ChunkedArray,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the bytes of a column of large strings, and where each one starts and how long."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if len(whole) == 0:
        empty: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        return np.zeros(0, dtype=np.uint8), empty, empty.copy()
    _, places, letters = whole.buffers()
    bounds = np.frombuffer(places, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    data = np.zeros(0, dtype=np.uint8) if letters is None else np.frombuffer(letters, np.uint8)
    return data, bounds[:-1].copy(), np.diff(bounds)


def _refuse_nulls(column: pa.ChunkedArray, name: str) -> None:
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise ClicksError(f"{name} of row {row} is missing: fill it in, or leave such rows out")


def _listed(names: Mapping[str, float]) -> str:
    shown = [*names][:_SHOWN]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")
