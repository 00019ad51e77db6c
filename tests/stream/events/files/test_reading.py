"""Event files: every format gives the same events, and every fault is named by file and line."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.errors import EventFileError
from stream.events.clicks.rules import EventRules
from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile, FileSummary
from tests.stream.events.click_records import NOW
from tests.stream.events.files.event_files import (
    HEADER,
    ROWS,
    Rows,
    as_csv,
    as_jsonl,
    as_parquet,
    error_of,
    read,
    rows_of,
)

CONTENTS = {
    "comma.csv": as_csv(ROWS),
    "tab.tsv": as_csv(ROWS, "\t"),
    "tab.csv": as_csv(ROWS, "\t"),
    "semicolon.csv": as_csv(ROWS, ";"),
    "bar.txt": as_csv(ROWS, "|"),
    "crlf.csv": as_csv(ROWS, line_end="\r\n"),
    "cr.csv": as_csv(ROWS, line_end="\r"),
    "bom.csv": b"\xef\xbb\xbf" + as_csv(ROWS),
    "no-last-line-end.csv": as_csv(ROWS).rstrip(b"\n"),
    "no-suffix": as_csv(ROWS),
    "lines.jsonl": as_jsonl(ROWS),
    "lines.ndjson": as_jsonl(ROWS, "\r\n"),
    "bom.json": b"\xef\xbb\xbf" + as_jsonl(ROWS),
    "blank-lines.jsonl": as_jsonl(ROWS, "\n\n  \n"),
    "lines-without-suffix": as_jsonl(ROWS),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".gz with two members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    ".gz padded": lambda data: gzip.compress(data) + b"\0" * 512,
    ".zst with two frames": lambda data: (
        zstandard.compress(data[:9]) + zstandard.compress(data[9:])
    ),
}


@pytest.mark.parametrize("batch_rows", [1, 3, 10_000])
@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", CONTENTS)
def test_formats_agree(tmp_path: Path, name: str, packing: str, batch_rows: int) -> None:
    """The same events come out of each format, dialect, compression and batch size."""
    path = tmp_path / (name + packing.split(" ", maxsplit=1)[0])
    path.write_bytes(PACKERS[packing](CONTENTS[name]))
    assert read(path, batch_rows=batch_rows) == ROWS


@pytest.mark.parametrize("batch_rows", [1, 3, 10_000])
def test_parquet_agrees(tmp_path: Path, batch_rows: int) -> None:
    """Parquet is known by its content, whatever its name."""
    for name in ("events.parquet", "events.pq", "events.csv", "events"):
        path = tmp_path / name
        path.write_bytes(as_parquet(ROWS))
        assert read(path, batch_rows=batch_rows) == ROWS


def test_timestamps_in_text_files_may_be_iso_8601_or_both(tmp_path: Path) -> None:
    """Each row stands for itself."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "u,i,2017-10-01T03:00:00Z\n" * 2)
    assert [row[2] for row in read(path)] == [NOW, NOW]
    path.write_text(HEADER + "u,i,2017-10-01T03:00:00Z\nu,i,1506826801\nu,i, 2017-10-01 \n")
    assert [row[2] for row in read(path)] == [NOW, NOW + 1, NOW - 10_800]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz"])
def test_an_empty_file_is_an_error(tmp_path: Path, suffix: str) -> None:
    """Nothing at all is more likely a mistake than a quiet day."""
    path = tmp_path / ("events" + suffix)
    path.write_bytes(PACKERS.get(path.suffix, bytes)(b""))
    assert "is empty" in str(error_of(path))


def test_a_header_alone_is_no_events(tmp_path: Path) -> None:
    """A quiet day is no error, and its summary says so."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER)
    assert read(path) == []
    assert EventFile(path).scan() == FileSummary(0, None, None, sorted=True)


def test_event_names_are_those_of_the_rules(tmp_path: Path) -> None:
    """An unlisted name is a bad row that names the setting."""
    path = tmp_path / "events.csv"
    path.write_text("user_id,item_id,timestamp,event\nu,i,1,view\nu,i,2,read\n")
    error = error_of(path)
    assert error.line == 3
    assert "events.weights" in error.reason
    rules = EventRules(weights={"view": 1.0, "read": 2.0}, default_event="view")
    assert [row[3] for row in read(path, rules=rules)] == ["view", "read"]


def test_skipping_counts_all_and_keeps_few_examples(tmp_path: Path) -> None:
    """Ten examples are enough; a second reading counts anew."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "u,i,x\n" * 50 + "u,i,1\n")
    file = EventFile(path, on_bad="skip", batch_rows=7)
    for _ in range(2):
        assert len(rows_of(list(file.read()))) == 1
        assert file.skipped == {"bad_timestamp": 50}
        assert len(file.examples) == 10


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A missing file and a folder."""
    assert "No such file" in str(error_of(tmp_path / "none.csv"))
    assert "is a directory without event files (.csv" in str(error_of(tmp_path))
    (tmp_path / "folder.parquet").mkdir()
    assert "without event files" in str(error_of(tmp_path / "folder.parquet"))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([b"", HEADER.encode(), b'{"user_id":"u","item_id":"i","timestamp":1}\n']),
    st.binary(max_size=60) | st.text('ui1,;\t|"\n\r\\{}[]:é', max_size=60).map(str.encode),
    st.sampled_from(["csv", "jsonl", "parquet", "csv.gz", "x"]),
    st.sampled_from(["fail", "skip"]),
    st.sampled_from(
        [
            (Columns(), FileDialect()),
            (Columns(), FileDialect(quoting="none", time_unit="ms")),
            (Columns(), FileDialect(quoting="standard", header=True)),
            (Columns(user="1", item="2", timestamp="3"), FileDialect(header=False)),
        ]
    ),
)
def test_any_bytes_are_events_or_an_error(
    tmp_path: Path,
    start: bytes,
    content: bytes,
    suffix: str,
    on_bad: Any,
    said: tuple[Columns, FileDialect],
) -> None:
    """Nothing but `EventFileError` ever comes out, and what comes out is within the limits."""
    path = tmp_path / f"events.{suffix}"
    path.write_bytes(start + content)
    try:
        rows = read(path, said[0], dialect=said[1], on_bad=on_bad, batch_rows=2)
    except EventFileError as error:
        str(error).encode()
        return
    for user, item, time, _event, event_id in rows:
        assert all(1 <= len(text.encode()) <= 256 for text in (user, item, event_id or "e"))
        assert 0 <= time < 1e11


def test_a_scan_sums_up_the_file(tmp_path: Path) -> None:
    """Count, span and order, over batch borders; equal times are in order."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "u,i,2\nu,i,2\nu,i,5\n")
    assert EventFile(path, batch_rows=2).scan() == FileSummary(3, 2.0, 5.0, sorted=True)
    path.write_text(HEADER + "u,i,2\nu,i,7\nu,i,5\nu,i,9\n")
    assert EventFile(path, batch_rows=2).scan() == FileSummary(4, 2.0, 9.0, sorted=False)
    assert EventFile(path, batch_rows=9).scan() == FileSummary(4, 2.0, 9.0, sorted=False)


@pytest.mark.parametrize("name", ["events.csv", "events.csv.gz", "events.parquet"])
def test_progress_goes_from_nothing_to_all(tmp_path: Path, name: str) -> None:
    """It never goes back and ends at one."""
    path = tmp_path / name
    rows: Rows = [(f"u{n}", "i", NOW, None, None) for n in range(50_000)]
    plain = as_parquet(rows) if name.endswith("parquet") else as_csv(rows)
    path.write_bytes(gzip.compress(plain) if name.endswith("gz") else plain)
    file = EventFile(path)
    assert file.progress == 0.0
    steps = [file.progress for _ in file.read()]
    assert steps == sorted(steps)
    assert 0 < steps[0] < 1
    assert file.progress == 1.0


@pytest.mark.parametrize("name", ["events.csv.gz", "events.jsonl.zst", "events.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    """Ten times the rows need no more memory, but for Parquet's list of row groups."""

    def peak(count: int) -> int:
        path = tmp_path / f"{count}-{name}"
        rows: Rows = [(f"user-{n}", f"item-{n % 97}", NOW + n, None, None) for n in range(count)]
        if name.endswith("parquet"):
            users, items, times, _, _ = zip(*rows, strict=True)
            table = pa.table({"user_id": users, "item_id": items, "timestamp": times})
            pq.write_table(table, path, row_group_size=2_000)
        elif name.endswith("gz"):
            path.write_bytes(gzip.compress(as_csv(rows, review="5")))
        else:
            path.write_bytes(zstandard.compress(as_jsonl(rows)))
        del rows
        tracemalloc.start()
        try:
            for _ in EventFile(path, batch_rows=1_000).read():
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    assert peak(60_000) < 1.5 * peak(6_000) + 1_000_000


@pytest.mark.data
def test_a_real_click_log_reads_whole(click_log: Callable[[str], Path]) -> None:
    """MovieLens: all rows, sorted, extra columns ignored."""
    assert EventFile(click_log("ml-100k")).scan() == FileSummary(
        100_000, 874_724_710.0, 893_286_638.0, sorted=True
    )


def test_a_row_of_a_later_year_is_a_bad_row(tmp_path: Path) -> None:
    """It is named by its line, after all good rows before it; or skipped and counted."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}a,i,{NOW:.0f}\nb,i,2122867355\nc,i,{NOW + 200:.0f}\n")
    read = EventFile(path, now=lambda: NOW).read()
    assert next(read).user_ids == ["a"]
    with pytest.raises(EventFileError, match=r"line 3: .*2037-04-09.*machine's clock.*--skip-bad"):
        next(read)
    file = EventFile(path, now=lambda: NOW, on_bad="skip")
    assert [events.user_ids for events in file.read()] == [["a", "c"]]
    assert file.skipped == {"future": 1}
    assert file.scan().last_time == NOW + 200


def test_the_limit_moves_with_the_clock(tmp_path: Path) -> None:
    """A stream that is read for long is judged by the time of each reading."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}a,i,{NOW:.0f}\nb,i,{NOW + 1000:.0f}\n")
    clock = iter([NOW, NOW + 1000])
    file = EventFile(path, now=lambda: next(clock), batch_rows=1)
    assert sum(len(events) for events in file.read()) == 2


def test_all_rows_before_a_bad_one_are_read(tmp_path: Path) -> None:
    """The error comes after them, wherever in a batch the bad row stands."""
    path = tmp_path / "c.csv"
    path.write_text(HEADER + "a,i,1\nb,i,2\nc,,3\nd,i,4\n")
    for batch_rows in (1, 2, 3, 10):
        seen: list[str] = []
        read = EventFile(path, batch_rows=batch_rows).read()
        with pytest.raises(EventFileError, match="line 4"):
            seen.extend(user for events in read for user in events.user_ids)
        assert seen == ["a", "b"]
