"""Event files: every format gives the same events, and every fault is named by file and line."""

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.errors import EventFileError
from stream.events.clicks.click import EventColumns, EventRules
from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile, FileSummary
from tests.stream.events.click_records import NOW

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


def test_compression_is_known_by_content(tmp_path: Path) -> None:
    """A wrong suffix does no harm."""
    path = tmp_path / "events.csv"
    path.write_bytes(gzip.compress(as_csv(ROWS)))
    assert read(path) == ROWS
    path = tmp_path / "events.csv.gz"
    path.write_bytes(as_csv(ROWS))
    assert read(path) == ROWS


def test_columns_are_mapped_and_units_scaled(tmp_path: Path) -> None:
    """Any five columns will do, in any unit; ISO-8601 needs none."""
    columns = Columns(user="visitor", item="sku", timestamp="ts", event="what", event_id="no")
    dialect = FileDialect(time_unit="ms")
    text = tmp_path / "events.csv"
    text.write_text("no,ts,what,sku,visitor\nn1,1506826800500,cart,s1,v1\n,1506826800000,,s2,v1\n")
    expected: Rows = [("v1", "s1", NOW + 0.5, "cart", "n1"), ("v1", "s2", NOW, None, None)]
    assert read(text, columns, dialect=dialect) == expected
    lines = tmp_path / "events.jsonl"
    lines.write_text(
        '{"visitor":"v1","sku":"s1","ts":1506826800500,"what":"cart","no":"n1"}\n'
        '{"visitor":"v1","sku":"s2","ts":"2017-10-01T03:00:00Z"}\n'
    )
    assert read(lines, columns, dialect=dialect) == expected


def test_timestamps_in_text_files_may_be_iso_8601_or_both(tmp_path: Path) -> None:
    """Each row stands for itself."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "u,i,2017-10-01T03:00:00Z\n" * 2)
    assert [row[2] for row in read(path)] == [NOW, NOW]
    path.write_text(HEADER + "u,i,2017-10-01T03:00:00Z\nu,i,1506826801\nu,i, 2017-10-01 \n")
    assert [row[2] for row in read(path)] == [NOW, NOW + 1, NOW - 10_800]


def test_whole_numbers_are_ids_in_json_lines(tmp_path: Path) -> None:
    """They read like their text in a CSV file."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"user_id":12,"item_id":-3,"timestamp":5,"event_id":7}\n')
    assert read(path) == [("12", "-3", 5.0, None, "7")]


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (pa.array([1506826800, 1506826801]), "s"),
        (pa.array([1506826800000, 1506826801000]), "ms"),
        (pa.array([1506826800, 1506826801], pa.uint32()), "s"),
        (pa.array([1506826800.0, 1506826801.0]), "s"),
        (pa.array([1506826800, 1506826801], pa.timestamp("s")), "ms"),
        (pa.array([1506826800000, 1506826801000], pa.timestamp("ms", "UTC")), "s"),
        (pa.array([1506826800 * 10**9 + 7, 1506826801 * 10**9], pa.timestamp("ns")), "s"),
        (pa.array([datetime(2017, 10, 1, 3, 0, s, tzinfo=UTC) for s in (0, 1)]), "ns"),
        (pa.array(["2017-10-01T03:00:00Z", "2017-10-01T03:00:01Z"]), "s"),
        (pa.array(["1506826800", "1506826801"]).dictionary_encode(), "s"),
        (pa.array([1506826800, 1506826801]).cast(pa.decimal128(22, 3)), "s"),
    ],
)
def test_parquet_times_may_have_any_sensible_type(tmp_path: Path, times: Any, unit: Any) -> None:
    """Numbers follow the unit of the mapping; Parquet's own timestamps know theirs."""
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user_id": [1, 2], "item_id": ["a", "b"], "timestamp": times}), path)
    assert read(path, dialect=FileDialect(time_unit=unit)) == [
        ("1", "a", NOW, None, None),
        ("2", "b", NOW + 1, None, None),
    ]


def test_parquet_ids_may_be_dictionaries_and_times_dates(tmp_path: Path) -> None:
    """Dictionary columns and dates are read as what they stand for."""
    path = tmp_path / "events.parquet"
    table = pa.table(
        {
            "user_id": pa.array(["a", "b", "a"]).dictionary_encode(),
            "item_id": pa.array([7, 7, 8]).dictionary_encode(),
            "timestamp": [date(2017, 10, 1)] * 3,
        }
    )
    pq.write_table(table, path)
    assert [row[:3] for row in read(path)] == [
        ("a", "7", NOW - 10_800),
        ("b", "7", NOW - 10_800),
        ("a", "8", NOW - 10_800),
    ]


def test_parquet_nulls_and_useless_types_are_named(tmp_path: Path) -> None:
    """A null is a bad row; floating-point ids and yes-or-no times are a bad file."""
    path = tmp_path / "events.parquet"
    good = {"user_id": ["a", None, "c"], "item_id": ["i"] * 3, "timestamp": [1, 2, None]}
    pq.write_table(pa.table(good), path)
    error = error_of(path)
    assert (error.line, error.reason) == (2, "user_id is null")
    file = EventFile(path, on_bad="skip")
    assert rows_of(list(file.read())) == [("a", "i", 1.0, None, None)]
    assert file.skipped == {"missing_field": 2}
    pq.write_table(pa.table({**good, "user_id": [1.0, 2.0, 3.0]}), path)
    assert "column user_id is double, wanted text or whole numbers" in str(error_of(path))
    pq.write_table(pa.table({**good, "timestamp": [True, False, True]}), path)
    assert "column timestamp is bool" in str(error_of(path))


def test_a_parquet_file_must_be_whole_and_unpacked(tmp_path: Path) -> None:
    """A cut file, a foreign one and one that is packed once more say so."""
    whole = as_parquet(ROWS)
    path = tmp_path / "events.parquet"
    for content in (whole[:-20], whole[: len(whole) // 2], b"PAR1", b"nothing"):
        path.write_bytes(content)
        assert "is damaged or no Parquet" in str(error_of(path))
    path = tmp_path / "events.parquet.gz"
    path.write_bytes(gzip.compress(whole))
    assert "unpack it first" in str(error_of(path))
    pq.write_table(pa.table({"user_id": ["a"]}), path)
    assert "no columns item_id, timestamp among user_id" in str(error_of(path))


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


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("user_id,item_id", "no column timestamp among user_id, item_id"),
        ("userId,item_id,timestamp", "if userId is meant, map it: --column user=userId"),
        (
            "user_id,item,ts",
            "if item, ts are meant, map them: --column item=item --column timestamp=ts",
        ),
        ("user_id,itme_id,timestamp", "map it: --column item=itme_id"),
        ("user_id,movieId,timestamp", "map it: --column item=movieId"),
        (
            "session_id;article_id;time",
            "--column user=session_id --column item=article_id --column timestamp=time",
        ),
        ("id,timestamp", "if id is meant, map it: --column user=id"),
        ("one,two,three", "name the file's own columns: --column user=NAME"),
        ("", "among nothing"),
        ("user_id,user_id,item_id,timestamp", "column user_id twice"),
        ('"user_id,item_id', "header"),
    ],
)
def test_missing_columns_are_named_with_what_may_be_meant(
    tmp_path: Path, header: str, words: str
) -> None:
    """The error shows what is there, guesses what is meant and how to say so."""
    path = tmp_path / "events.csv"
    path.write_text(header + "\nu,i,1\n")
    error = error_of(path)
    assert words in str(error)
    assert error.line == 1


def test_a_column_that_is_mapped_must_be_there(tmp_path: Path) -> None:
    """Optional columns are optional only under their default names."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "u,i,1\n")
    assert "no column kind among" in str(error_of(path, Columns(event="kind")))
    path = tmp_path / "events.jsonl"
    path.write_text('{"userid":"u","item_id":"i","timestamp":1}\n')
    error = error_of(path)
    assert error.line == 1
    assert "no column user_id" in str(error)
    assert "--column user=userid" in str(error)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_no_column_is_taken_twice(tmp_path: Path, kind: str) -> None:
    """Names of two roles that differ in case only need two columns, by their exact names."""
    path = tmp_path / f"events.{kind}"
    columns = Columns(user="ID", item="id")

    def write(*names: str) -> None:
        cells = dict.fromkeys(names, 1)
        rows = [",".join(names), ",".join(map(str, cells.values()))]
        path.write_text("\n".join(rows if kind == "csv" else [json.dumps(cells)]))

    write("Id", "timestamp")
    assert "no column id among Id, timestamp; name the file's own columns" in str(
        error_of(path, columns)
    )
    write("ID", "id", "timestamp")
    assert read(path, columns) == [("1", "1", 1.0, None, None)]
    write("Id", "id", "timestamp")
    assert read(path, columns) == [("1", "1", 1.0, None, None)]


@pytest.mark.parametrize("settings", [{"user": "item_id"}, {"item": ""}])
def test_column_mappings_are_checked(settings: dict[str, Any]) -> None:
    """Two roles for one column and no name are refused."""
    with pytest.raises(ValueError, match="columns need"):
        Columns(**settings)


BAD_CSV_ROWS = {
    "u,i": ("malformed_row", "2 fields where the header has 3"),
    "u,i,1,2": ("malformed_row", "4 fields"),
    ",i,1": ("id_length", "the user id is empty"),
    "u," + "i" * 257 + ",1": ("id_length", "the item id has 257 bytes"),
    "u,i,": ("bad_timestamp", "neither seconds since the epoch nor ISO-8601"),
    "u,i,soon": ("bad_timestamp", "'soon'"),
    "u,i,nan": ("bad_timestamp", "1970"),
    "u,i,-1": ("bad_timestamp", "1970"),
    "u,i,inf": ("bad_timestamp", "too large"),
    "u,i,1506826800000": ("bad_timestamp", "--time-unit ms"),
    "u,\udcff,1": ("not_utf8", "not valid Unicode"),
    'u,"i"x,1': ("malformed_row", "expected after"),
}


@pytest.mark.parametrize("bad", BAD_CSV_ROWS)
@pytest.mark.parametrize("before", ["u,i,1\n", 'u,"i",1\n\n\n'])
def test_bad_csv_rows_are_named_by_line(tmp_path: Path, bad: str, before: str) -> None:
    """Lines count as an editor counts them, through quoted line ends and blank lines."""
    path = tmp_path / "events.csv"
    text = HEADER + before * 5 + bad + "\n" + "u,i,2\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    reason, words = BAD_CSV_ROWS[bad]
    error = error_of(path)
    assert error.line == 2 + 5 * before.count("\n")
    assert words in error.reason
    for batch_rows in (1, 4, 100):
        file = EventFile(path, on_bad="skip", batch_rows=batch_rows)
        assert [row[2] for row in rows_of(list(file.read()))] == [1.0] * 5 + [2.0]
        assert file.skipped == {reason: 1}
        assert file.examples == [str(error)]


BAD_JSON_LINES = {
    "{": ("malformed_json", "truncated"),
    '{"user_id":"u"} {}': ("malformed_json", "trailing"),
    "[]": ("wrong_type", "object"),
    '{"user_id":"u","item_id":"i"}': ("missing_field", "no column timestamp"),
    '{"user_id":1.5,"item_id":"i","timestamp":1}': ("wrong_type", "$.user_id"),
    '{"user_id":"","item_id":"i","timestamp":1}': ("id_length", "user id is empty"),
    '{"user_id":"u","item_id":"i","timestamp":1e999}': ("wrong_type", "out of range"),
    '{"user_id":"u","item_id":"\udcff","timestamp":1}': ("not_utf8", "not UTF-8"),
    '{"user_id":"u","item_id":"\\ud800","timestamp":1}': ("malformed_json", "surrogate"),
    '{"user_id":"u","item_id":"i","timestamp":' + "[" * 5000: ("malformed_json", "nested"),
    '{"x":' + "[" * 5000: ("malformed_json", "recursion"),
    '{"user_id":"u","item_id":"i","timestamp":1,"event":"fly"}': ("unknown_event", "'fly'"),
    "\x00\x01\x02": ("malformed_json", "malformed"),
}


@pytest.mark.parametrize("bad", BAD_JSON_LINES)
def test_bad_json_lines_are_named_by_line(tmp_path: Path, bad: str) -> None:
    """Blank lines count too."""
    path = tmp_path / "events.jsonl"
    good = '{"user_id":"u","item_id":"i","timestamp":1}\n'
    filler = "\n" + good * 600
    text = good + filler * 30 + "\n" + bad + "\n" + good
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    reason, words = BAD_JSON_LINES[bad]
    error = error_of(path)
    assert error.line == 3 + 601 * 30
    assert words in error.reason
    file = EventFile(path, on_bad="skip", batch_rows=7)
    assert len(rows_of(list(file.read()))) == 18_002
    assert file.skipped == {reason: 1}


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


def test_an_unclosed_quote_is_fatal_even_when_skipping(tmp_path: Path) -> None:
    """It swallows rows that nobody could count; the line is where it opens."""
    path = tmp_path / "events.csv"
    for rows in (3, 50_000):
        path.write_text(HEADER + "u,i,1\n" * 4 + '"u,i,1\n' + "u,i,1\n" * rows)
        error = error_of(path, on_bad="skip")
        assert error.line == 6
        assert "quote" in error.reason


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("name", ["events.csv", "events.jsonl"])
def test_a_cut_off_archive_is_an_error(tmp_path: Path, kind: str, name: str) -> None:
    """Half a download is not read as a whole file; the line says how far it went."""
    rng = np.random.default_rng(1)
    rows: Rows = [(f"u{n}", "i", NOW, None, None) for n in rng.integers(10**9, size=50_000)]
    plain = as_csv(rows, review="5") if name.endswith("csv") else as_jsonl(rows)
    packed = (gzip.compress if kind == "gzip" else zstandard.compress)(plain)
    path = tmp_path / name
    for kept, least_line in ((0.1, 1), (0.9, 10_000)):
        path.write_bytes(packed[: int(len(packed) * kept)])
        error = error_of(path)
        assert f"the {kind} data is cut off" in error.reason
        assert (error.line or 0) >= least_line
    path.write_bytes(packed[: len(packed) // 2] + b"????" + packed[len(packed) // 2 + 4 :])
    assert f"the {kind} data is damaged" in error_of(path, on_bad="skip").reason


@pytest.mark.parametrize("name", ["events.csv", "events.jsonl", "events.bin"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)) * 40, "is binary"),
        ("user_id,item_id,timestamp\n".encode("utf-16"), "UTF-16"),
        (b"x" * 2_000_000, "more than 1 MiB"),
        (b"\x1f\x8b" + b"x" * 50, "damaged"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 50, "damaged"),
    ],
)
def test_garbage_is_called_by_name(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Binary files, other encodings and endless lines are refused at once."""
    path = tmp_path / name
    path.write_bytes(content)
    assert words in str(error_of(path, on_bad="skip"))


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
