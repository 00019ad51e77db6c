"""Reading of CSV files."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.events.files.reading import BAD_ROW_REMEDY, EventFile
from tests.stream.events.files.event_files import (
    HEADER,
    error_of,
    rows_of,
)


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
        assert [f"{one}: {BAD_ROW_REMEDY}" for one in file.examples] == [str(error)]


def test_an_unclosed_quote_is_fatal_even_when_skipping(tmp_path: Path) -> None:
    """It swallows rows that nobody could count; the line is where it opens."""
    path = tmp_path / "events.csv"
    for rows in (3, 50_000):
        path.write_text(HEADER + "u,i,1\n" * 4 + '"u,i,1\n' + "u,i,1\n" * rows)
        error = error_of(path, on_bad="skip")
        assert error.line == 6
        assert "quote" in error.reason
