"""A copy of a stream's clicks, by time, for processes that each read its beginning.

The events may come through a pipe, unsorted, or in any format; the copy is read quickly, many
times, and only as far as a reader may know.
"""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from consumers.runtime.outputs import written_aside
from stream.events.clicks.event_columns import EventColumns

_SCHEMA: Final = pa.schema(
    {
        "user_id": pa.string(),
        "item_id": pa.string(),
        "time": pa.float64(),
        "event": pa.string(),
        "event_id": pa.string(),
    }
)


def copy_clicks(
    parts: Iterable[EventColumns], path: Path
) -> Generator[npt.NDArray[np.float64], None, None]:
    """Write clicks as they come, and yield the times of each part; go to the end or close it.

    Raises
    ------
    StorageFullError
        There is no room.
    """
    with (
        written_aside(path) as aside,
        pq.ParquetWriter(aside, _SCHEMA, compression="zstd") as writer,
    ):
        for part in parts:
            columns = [part.user_ids, part.item_ids, part.times, part.events, part.event_ids]
            writer.write_table(pa.table(columns, schema=_SCHEMA))
            yield part.times


def copied_clicks(path: Path, count: int, rows: int) -> Iterator[EventColumns]:
    """Yield the first `count` clicks of a copy, about so many rows at a time, and no other."""
    left = count
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            part = batch.slice(0, left)
            left -= len(part)
            users, items, times, events, event_ids = (part.column(name) for name in _SCHEMA.names)
            yield EventColumns(
                users.to_pylist(),
                items.to_pylist(),
                times.to_numpy(zero_copy_only=False),
                events.to_pylist(),
                event_ids.to_pylist(),
            )
            if not left:
                return
