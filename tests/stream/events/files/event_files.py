"""Event files of every format, and what comes out of them, for tests."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.errors import EventFileError
from stream.events.clicks.event_columns import EventColumns
from stream.events.files.columns import Columns
from stream.events.files.reading import EventFile
from tests.stream.events.click_records import NOW


def skipped(path: Path) -> dict[str, int]:
    """Return why rows of a file were left out."""
    file = EventFile(path, on_bad="skip")
    events = file.scan().events
    assert events + sum(file.skipped.values()) == 1
    return dict(file.skipped)


HEADER = "user_id,item_id,timestamp\n"


Rows = list[tuple[str, str, float, str | None, str | None]]


ROWS: Rows = [
    ("u1", "i1", NOW, "click", "e1"),
    ("ü,2", 'i"2"', NOW + 0.5, None, None),
    ("u1", "日本", NOW - 5, "purchase", None),
    ("3", "i1", NOW + 1, None, "e4"),
]


def rows_of(batches: list[EventColumns]) -> Rows:
    return [
        row
        for events in batches
        for row in zip(
            events.user_ids,
            events.item_ids,
            events.times.tolist(),
            events.events,
            events.event_ids,
            strict=True,
        )
    ]


def read(path: Path, columns: Columns | None = None, **options: Any) -> Rows:
    return rows_of(list(EventFile(path, columns, **options).read()))


def error_of(path: Path, columns: Columns | None = None, **options: Any) -> EventFileError:
    with pytest.raises(EventFileError) as caught:
        read(path, columns, **options)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    return caught.value


def as_csv(
    rows: Rows, delimiter: str = ",", line_end: str = "\n", review: str = 'very "good",\nI say'
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(["user_id", "item_id", "review", "timestamp", "event", "event_id"])
    for user, item, time, event, event_id in rows:
        writer.writerow([user, item, review, time, event, event_id])
    return text.getvalue().encode()


def as_jsonl(rows: Rows, line_end: str = "\n") -> bytes:
    names = ("user_id", "item_id", "timestamp", "event", "event_id")
    lines = [json.dumps({**dict(zip(names, row, strict=True)), "x": [1]}) for row in rows]
    return "".join(line + line_end for line in lines).encode()


def as_parquet(rows: Rows) -> bytes:
    users, items, times, events, event_ids = zip(*rows, strict=True)
    table = pa.table(
        {
            "event_id": event_ids,
            "user_id": users,
            "item_id": items,
            "timestamp": times,
            "event": events,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def csv_of(*users: str, time: int = 1_506_826_800) -> bytes:
    return (HEADER + "".join(f"{user},i,{time}\n" for user in users)).encode()


def parquet_of(*users: str) -> bytes:
    sink = io.BytesIO()
    count = len(users)
    table = {"user_id": users, "item_id": ["i"] * count, "timestamp": [1_506_826_800] * count}
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def users(path: Any, **options: Any) -> list[str]:
    return [user for events in EventFile(path, **options).read() for user in events.user_ids]


def message_of(path: Any, **options: Any) -> str:
    with pytest.raises(EventFileError) as caught:
        users(path, **options)
    return str(caught.value)
