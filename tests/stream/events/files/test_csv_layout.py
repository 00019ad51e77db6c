"""Quotes in CSV: they enclose fields or are text, and never swallow rows in silence."""

import logging
from pathlib import Path
from typing import Any

import pytest

from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect, Quoting
from stream.events.files.reading import EventFile

HEADER = "user_id\titem_id\ttimestamp\ttitle"


def lines_of(titles: dict[int, str], rows: int = 3000) -> list[str]:
    """Return lines of tab-parted events, most of which have a harmless title."""
    return [
        HEADER,
        *(f"u{k}\ti{k}\t{1_506_826_800 + k}\t{titles.get(k, f'Song {k}')}" for k in range(rows)),
    ]


def write(path: Path, lines: list[str], delimiter: str = "\t") -> Path:
    path.write_text("\n".join(lines).replace("\t", delimiter) + "\n")
    return path


def users(path: Path, quoting: Quoting = "auto", **options: Any) -> list[str]:
    file = EventFile(path, dialect=FileDialect(quoting=quoting), **options)
    return [user for events in file.read() for user in events.user_ids]


def error_of(path: Path, quoting: Quoting = "auto", **options: Any) -> EventFileError:
    with pytest.raises(EventFileError) as caught:
        users(path, quoting, **options)
    return caught.value


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
@pytest.mark.parametrize("batch_rows", [7, 10_000])
def test_quotes_that_enclose_nothing_are_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, delimiter: str, batch_rows: int
) -> None:
    """Two stray ones with whole rows between them lose no row, and what was guessed is said."""
    lines = lines_of({10: '"Untitled', 2500: '7"'})
    path = write(tmp_path / "clicks.txt", lines, delimiter)
    with caplog.at_level(logging.WARNING):
        assert users(path, batch_rows=batch_rows) == [f"u{k}" for k in range(3000)]
    assert "taken as plain text, like --quoting none" in caplog.text
    assert users(path, "none") == [f"u{k}" for k in range(3000)]


def test_a_guess_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However often the file is read."""
    file = EventFile(write(tmp_path / "clicks.tsv", lines_of({1: '7" remix'}, rows=3)))
    for _ in range(3):
        assert file.scan().events == 3
    assert len(caplog.records) == 1


@pytest.mark.parametrize("on_bad", ["fail", "skip"])
def test_a_field_that_hides_rows_is_an_error(tmp_path: Path, on_bad: str) -> None:
    """Where quotes are needed elsewhere they cannot be text: line and remedies are named."""
    lines = lines_of({3: '"two\ttabs"', 10: '"Untitled', 2500: '7"'})
    path = write(tmp_path / "clicks.tsv", lines)
    error = error_of(path, on_bad=on_bad)
    assert error.line == 12
    assert "field of 2491 lines, some of which look like rows" in error.reason
    assert "--quoting none" in error.reason
    assert "--quoting standard" in error.reason


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("user_id,item_id,timestamp,note", "u,i,{},x,"),
        ("user_id,item_id,timestamp,note,", "u,i,{},x"),
        ("user_id,item_id,timestamp,note,,", "u,i,{},x,"),
    ],
)
def test_rows_hide_however_they_end(tmp_path: Path, header: str, row: str) -> None:
    """Empty cells too many, or columns without names left out, do not make a row none."""
    rows = [row.format(1_506_826_800 + k) for k in range(40)]
    rows[3] = rows[3].replace("x", '"one, two, three, four"')
    rows[10] = rows[10].replace("x", '"open')
    rows[20] = rows[20].replace("x", 'shut"')
    error = error_of(write(tmp_path / "clicks.csv", [header, *rows]))
    assert error.line == 12
    assert "some of which look like rows" in error.reason


def test_who_says_standard_is_told_of_hidden_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A field may hold a piece of CSV, but not without a word."""
    path = write(tmp_path / "clicks.tsv", lines_of({1: '"a', 3: 'b"'}, rows=6))
    assert users(path, "standard") == ["u0", "u1", "u4", "u5"]
    assert "line 3: a quote opens a field of 3 lines" in caplog.text


@pytest.mark.parametrize("quoting", ["auto", "standard"])
def test_an_id_of_several_lines_is_no_id(tmp_path: Path, quoting: Quoting) -> None:
    """With rows in it the file is refused; else the row is bad."""
    path = tmp_path / "clicks.csv"
    path.write_text('user_id,item_id,timestamp\nu1,i1,1\n"u2,i2,2\nu3,i3,3\nu4",i4,4\n')
    error = error_of(path, quoting)
    assert error.line == 3
    assert "--quoting none" in error.reason
    path.write_text('user_id,item_id,timestamp\nu1,i1,1\nu3,"i\r\n3",3\nu4,i4,4\n')
    error = error_of(path, quoting)
    assert error.line == 3
    assert "the item id holds a line end; if quotes are plain text" in error.reason
    assert users(path, quoting, on_bad="skip") == ["u1", "u4"]


def test_text_of_several_lines_is_read_where_nobody_looks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Reviews with line ends, delimiters and doubled quotes are what quoting is for."""
    path = tmp_path / "reviews.csv"
    review = '"Good, cheap,\nand ""fast"".\n\nBuy it, 5, 5, 5!"'
    row = f"u1,i1,1506826800,{review}\n"
    path.write_text("user_id,item_id,timestamp,review\n" + row * 20_000)
    assert len(users(path)) == 20_000
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('u,i,5,"Best" of', "write such quotes twice"),
        ('u,"i"x,5,Song', "write such quotes twice"),
        ('u,i,5,"Best', "a quote is opened and not closed"),
    ],
)
def test_every_error_of_quotes_has_a_remedy(tmp_path: Path, row: str, words: str) -> None:
    """Text behind a closing quote, and a quote that stays open, where others enclose."""
    path = tmp_path / "clicks.csv"
    path.write_text(f'user_id,item_id,timestamp,title\nu,i,4,"A, B"\n{row}\n')
    error = error_of(path)
    assert error.line == 3
    assert words in error.reason
    assert "--quoting none" in error.reason


def test_a_header_in_quotes_tells_that_quotes_enclose(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the first rows hold none."""
    path = tmp_path / "clicks.tsv"
    header = "\t".join(f'"{name}"' for name in HEADER.split("\t"))
    path.write_text(header + "\n" + "u\ti\t1\t7 inch\n" * 40_000 + '"v"\t"i"\t2\t"7"""\n')
    assert users(path)[-1] == "v"
    assert caplog.text == ""


def test_quotes_around_ids_are_not_swallowed_by_a_guess(tmp_path: Path) -> None:
    """Once quotes are text, an id that begins with one is refused and not taken with it."""
    path = write(tmp_path / "clicks.tsv", [*lines_of({1: '7" remix'}, rows=3), '"u9"\ti\t9\tSong'])
    path.write_text(path.read_text() + "u\ti\t1506826800\tSong\n" * 30_000)
    whole = write(tmp_path / "other.tsv", [*lines_of({1: '7"'}, rows=30_000), '"u9"\ti\t9\tSong'])
    assert users(path, "standard")[3] == "u9"
    error = error_of(whole)
    assert error.line == 30_002
    assert "the user id holds a quote" in error.reason
    assert "--quoting standard" in error.reason


def test_a_field_may_be_as_long_as_a_line(tmp_path: Path) -> None:
    """The parser's own limit, an eighth of it, does not count."""
    path = tmp_path / "clicks.csv"
    header = "user_id,item_id,timestamp,page\n"
    path.write_text(header + "u,i,1," + "x" * 900_000 + "\nv,i,2,\n")
    assert users(path) == ["u", "v"]
