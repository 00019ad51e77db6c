"""A limit that `docs/events.md` names is the limit: at it all is well, one further it is not."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import read_click
from stream.events.files.reading import EventFile

LINE = 1_048_576
FIRST_LATE = 100_000_000_000

Event = dict[str, Any]
EVENT: Event = {"user_id": "u", "item_id": "i", "timestamp": 1, "event_id": "e"}


def as_csv(path: Path, event: Event) -> None:
    path.write_text(",".join(event) + "\n" + ",".join(map(str, event.values())) + "\n")


def as_jsonl(path: Path, event: Event) -> None:
    path.write_text(json.dumps(event, ensure_ascii=False) + "\n")


def as_parquet(path: Path, event: Event) -> None:
    pq.write_table(pa.table({name: [value] for name, value in event.items()}), path)


WRITERS: dict[str, Callable[[Path, Event], None]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}


def skipped(path: Path) -> dict[str, int]:
    """Return why rows of a file were left out."""
    file = EventFile(path, on_bad="skip")
    events = file.scan().events
    assert events + sum(file.skipped.values()) == 1
    return dict(file.skipped)


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


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("before", [0, 1, 40_000])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_has_a_mebibyte(tmp_path: Path, kind: str, before: int, line_end: str) -> None:
    """Without its end, wherever blocks are cut."""
    if kind == "jsonl" and line_end == "\r":
        line_end = "\n"
    path = tmp_path / f"events.{kind}"
    start = '{"user_id":"u","item_id":"i","timestamp":1,"note":"' if kind == "jsonl" else "u,i,1,"
    stop = '"}' if kind == "jsonl" else ""
    filler = (start + stop + (line_end or "\n")) * before
    header = "user_id,item_id,timestamp,note" + (line_end or "\n") if kind == "csv" else ""
    room = LINE - len(start) - len(stop)
    path.write_bytes((header + filler + start + "x" * room + stop + line_end).encode())
    assert EventFile(path).scan().events == before + 1
    path.write_bytes((header + filler + start + "x" * (room + 1) + stop + line_end).encode())
    with pytest.raises(Exception, match="more than 1 MiB"):
        EventFile(path, on_bad="skip").scan()


def nested(depth: int) -> str:
    """Return an event in which brackets nest so deep."""
    inner = "[" * (depth - 1) + "]" * (depth - 1)
    return f'{{"user_id":"u","item_id":"i","timestamp":1,"note":{inner}}}'


def test_json_nests_64_deep(tmp_path: Path) -> None:
    """In fields that nobody reads too, and as on the topic."""
    path = tmp_path / "events.jsonl"
    path.write_text(nested(64) + "\n")
    assert skipped(path) == {}
    assert not isinstance(read_click(b"u", nested(64).encode(), {None: 0}), Fault)
    path.write_text(nested(65) + "\n")
    assert skipped(path) == {"malformed_json": 1}
    assert isinstance(read_click(b"u", nested(65).encode(), {None: 0}), Fault)


def test_the_limit_of_a_record_is_none_of_a_line(tmp_path: Path) -> None:
    """What a line holds besides the event never reaches the topic."""
    path = tmp_path / "events.jsonl"
    event = {**EVENT, "note": "x" * 20_000}
    path.write_text(json.dumps(event) + "\n")
    assert skipped(path) == {}


def test_a_record_has_16384_bytes() -> None:
    """On the topic, blanks included."""
    value = b'{"user_id":"u","item_id":"i","timestamp":1}'
    assert not isinstance(read_click(b"u", value.ljust(16_384), {None: 0}), Fault)
    fault = read_click(b"u", value.ljust(16_385), {None: 0})
    assert isinstance(fault, Fault)
    assert fault.reason == "too_large"


@pytest.mark.parametrize("rows", [200, 100_000])
@pytest.mark.parametrize("packed", [False, True])
def test_zero_bytes_are_damage_wherever_they_are(tmp_path: Path, rows: int, packed: bool) -> None:
    """In the first 1024 bytes the file is binary; further down the row is bad."""
    path = tmp_path / "events.csv"
    pack: Callable[[bytes], bytes] = gzip.compress if packed else bytes
    text = b"user_id,item_id,timestamp,note\n"
    path.write_bytes(pack(text + b"u\0,i,1,\n"))
    with pytest.raises(Exception, match="is binary"):
        EventFile(path, on_bad="skip").scan()
    path.write_bytes(pack(text + b"u,i,1,\n" * rows + b"u,i,1,\0\0\n"))
    file = EventFile(path, on_bad="skip")
    assert file.scan().events == rows
    assert file.skipped == {"malformed_row": 1}
