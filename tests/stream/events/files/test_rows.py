"""The check of rows: at a limit that `docs/events.md` names all is well, one further it is not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.events.files.reading import EventFile
from tests.stream.events.files.event_files import skipped

FIRST_LATE = 100_000_000_000

Event = dict[str, Any]
EVENT: Event = {"user_id": "u", "item_id": "i", "timestamp": 1, "event_id": "e"}


def write_csv(path: Path, event: Event) -> None:
    path.write_text(",".join(event) + "\n" + ",".join(map(str, event.values())) + "\n")


def write_jsonl(path: Path, event: Event) -> None:
    path.write_text(json.dumps(event, ensure_ascii=False) + "\n")


def write_parquet(path: Path, event: Event) -> None:
    pq.write_table(pa.table({name: [value] for name, value in event.items()}), path)


WRITERS: dict[str, Callable[[Path, Event], None]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("field", ["user_id", "item_id", "event_id"])
@pytest.mark.parametrize("letter", ["x", "é", "語", "𝄞"])
def test_ids_have_256_bytes(tmp_path: Path, kind: str, field: str, letter: str) -> None:
    """As UTF-8, whatever the alphabet."""
    path = tmp_path / f"events.{kind}"
    whole, rest = divmod(256, len(letter.encode()))
    longest = letter * whole + "x" * rest
    WRITERS[kind](path, {**EVENT, field: longest})
    assert skipped(path) == {}
    WRITERS[kind](path, {**EVENT, field: longest + "x"})
    assert skipped(path) == {"id_length": 1}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("time", "good"),
    [
        (0, True),
        (-1, False),
        (FIRST_LATE - 1, True),
        (FIRST_LATE, False),
        ("1970-01-01T00:00:00Z", True),
        ("1969-12-31T23:59:59Z", False),
        ("5138-11-16T09:46:39Z", True),
        ("5138-11-16T09:46:40Z", False),
    ],
)
def test_times_lie_within_their_limits(
    tmp_path: Path, kind: str, time: float | str, good: bool
) -> None:
    """From 1970 on, up to ten digits and one more in seconds."""
    path = tmp_path / f"events.{kind}"
    sure: Event = {**EVENT, "timestamp": "2017-10-01" if isinstance(time, str) else 1_506_826_800}
    WRITERS[kind](path, sure)
    events = [path.read_bytes()]
    WRITERS[kind](path, {**EVENT, "timestamp": time})
    if kind == "parquet":
        stamps = [sure["timestamp"]] * 2 + [time]
        pq.write_table(
            pa.table({"user_id": ["u"] * 3, "item_id": ["i"] * 3, "timestamp": stamps}), path
        )
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(events[0] + events[0].splitlines(keepends=True)[-1] + lines[-1])
    file = EventFile(path, on_bad="skip")
    assert file.scan().events == (3 if good else 2)
    assert file.skipped == ({} if good else {"bad_timestamp": 1})
