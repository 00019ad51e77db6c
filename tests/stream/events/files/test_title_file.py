"""Items and their titles, out of files of every format; what is wrong is named with its line."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect
from stream.events.files.title_columns import TitleColumns
from stream.events.files.title_file import TitleFile

ROWS = [("i1", "Blue mug"), ("ü,2", 'Pipe 5" wide'), ("日本", "茶, 100 g"), ("4", "1984")]


def read(path: Path, columns: TitleColumns | None = None, **options: Any) -> list[tuple[str, str]]:
    file = TitleFile([path], columns, **{"longest": 200, **options})
    return [row for batch in file.read() for row in batch]


def error_of(path: Path, columns: TitleColumns | None = None, **options: Any) -> str:
    with pytest.raises(EventFileError) as caught:
        read(path, columns, **options)
    return str(caught.value).removeprefix(str(path))


def text_file(directory: Path, text: str, name: str = "t.csv") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def as_csv() -> bytes:
    return (
        "item_id,title,price\n"
        'i1,Blue mug,3\n"ü,2","Pipe 5"" wide",4\n日本,"茶, 100 g",5\n4,1984,6\n'
    ).encode()


def as_jsonl() -> bytes:
    lines = [{"price": 3, "item_id": item, "title": title} for item, title in ROWS[:3]]
    return "\n".join(json.dumps(line) for line in [*lines, {"item_id": 4, "title": 1984}]).encode()


def as_parquet() -> bytes:
    items, titles = zip(*ROWS, strict=True)
    column = pa.array(titles).dictionary_encode()
    made = io.BytesIO()
    pq.write_table(pa.table({"title": column, "item_id": pa.array(items)}), made)
    return made.getvalue()


FILES = {
    "t.csv": as_csv(),
    "t.tsv": 'title\titem_id\nBlue mug\ti1\nPipe 5" wide\tü,2\n茶, 100 g\t日本\n1984\t4\n'.encode(),
    "t.csv.gz": gzip.compress(as_csv()),
    "t.jsonl": as_jsonl(),
    "t.jsonl.zst": zstandard.compress(as_jsonl()),
    "t": as_jsonl(),
    "t.parquet": as_parquet(),
}


@pytest.mark.parametrize("batch_rows", [1, 3, 10_000])
@pytest.mark.parametrize("name", FILES)
def test_every_format_holds_the_same(tmp_path: Path, name: str, batch_rows: int) -> None:
    """Other columns are ignored; numbers are taken as they are written."""
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert read(path, batch_rows=batch_rows) == ROWS


def test_whole_numbers_are_ids_and_titles(tmp_path: Path) -> None:
    """Of Parquet too; there are books with such titles."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item_id": [7, 8], "title": [1984, None]}), path)
    assert read(path) == [("7", "1984")]


def test_columns_have_other_names_or_numbers(tmp_path: Path) -> None:
    """As those of event files."""
    named = text_file(tmp_path, "sku,name\ni1,Blue mug\n")
    assert read(named, TitleColumns(item="sku", title="name")) == [("i1", "Blue mug")]
    numbered = text_file(tmp_path, "1::Toy Story (1995)::Comedy\n2::Jumanji::\n", "movies.dat")
    found = read(numbered, TitleColumns(item="1", title="2"), dialect=FileDialect(header=False))
    assert found == [("1", "Toy Story (1995)"), ("2", "Jumanji")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("movieId,title\n1,a\n", ", line 1: the header has no column item_id among movieId, title"),
        ("movieId,title\n1,a\n", "map it: --column item=movieId"),
        ("1,Blue mug\n", "--no-header and --column item=N --column title=N"),
        ("item_id,title,title\n1,a,b\n", ", line 1: the header has column title twice"),
        ("item_id,title\n1,a\n2,b,c\n", ", line 3: 3 fields where the header has 2, cut at ','"),
        ("item_id,title\n1,a\n,b\n", ", line 3: the item id is empty"),
        (f"item_id,title\n{'x' * 257},b\n", ", line 2: the item id has 257 bytes"),
        ('item_id,title\n1,"a\n2,b"\n3,c\n', ", line 2: a quote opens a field of 2 lines"),
        ('item_id,title\n1,a\n2,"b\n3,c\n', ", line 3: a quote is opened and not closed"),
        ('item_id,title\n1,"a" b\n', ", line 2: text follows a closing quote"),
        ("item_id,title\n" + "1,a\n" * 300 + "1\0,b\n", ", line 302: holds zero bytes: damaged"),
        ("", ": is empty"),
        ('{"item_id": "1", "title": "a"}\n{"title": "b"}\n', "no column item_id among title"),
        ('{"item_id": "1"}\n{"item_id": [2], "title": "a"}\n', ", line 2: Expected `"),
        ('{"item_id": "1", "title": "a"}\n{"item_id"\n', ", line 2: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    """With the line, and with what to do where that can be told."""
    name = "t.jsonl" if text.startswith("{") else "t.csv"
    assert words in error_of(text_file(tmp_path, text, name))


def test_a_number_that_is_no_column_is_named(tmp_path: Path) -> None:
    """With what the first line holds."""
    path = text_file(tmp_path, "1,Blue mug\n")
    said = error_of(path, dialect=FileDialect(header=False))
    assert "columns go by number, from 1 to 2, and item is 'item_id'" in said
    assert "1: 1, 2: Blue mug" in said
    json_lines = text_file(tmp_path, '{"item_id": 1}', "t.jsonl")
    assert "leave --no-header out" in error_of(json_lines, dialect=FileDialect(header=False))


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "t.csv"
    path.write_bytes("item_id,title\n1,Café\n".encode("latin-1"))
    assert ", line 2: the title is not UTF-8: save the file as such" in error_of(path)


def test_parquet_says_what_it_lacks(tmp_path: Path) -> None:
    """A column, an id, or a type."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item_id": [1], "name": ["a"]}), path)
    assert "no column title among item_id, name; if name is meant" in error_of(path)
    pq.write_table(pa.table({"item_id": ["1", None], "title": ["a", "b"]}), path)
    assert ", line 2: item_id is null" in error_of(path)
    pq.write_table(pa.table({"item_id": [1.5], "title": ["a"]}), path)
    assert "column item_id is double, wanted text or whole numbers" in error_of(path)


def test_a_field_may_be_meant_to_hold_lines(tmp_path: Path) -> None:
    """Where that is said, or where they look like no rows; they become one line."""
    path = text_file(tmp_path, 'item_id,title\n1,"a\n2,b"\n3,c\n')
    assert read(path, dialect=FileDialect(quoting="standard")) == [("1", "a 2,b"), ("3", "c")]
    plain = read(path, dialect=FileDialect(quoting="none"))
    assert plain == [("1", '"a'), ("2", 'b"'), ("3", "c")]
    path = text_file(tmp_path, 'item_id,title\n1,"Tea\r\n100 g"\n\n3,c\n')
    assert read(path) == [("1", "Tea 100 g"), ("3", "c")]


def test_bad_rows_are_skipped_where_that_is_wished(tmp_path: Path) -> None:
    """And counted by reason, with examples; a later reading begins anew."""
    path = text_file(tmp_path, "item_id,title\n1,a\n,b\n2,c,d\n3,e\n")
    file = TitleFile([path], longest=200, on_bad="skip")
    for _ in range(2):
        assert list(file.read()) == [[("1", "a"), ("3", "e")]]
        assert dict(file.skipped) == {"id_length": 1, "malformed_row": 1}
        assert [one.rpartition(", ")[2] for one in file.examples] == [
            "line 3: the item id is empty",
            "cut at ','",
        ]
        assert (file.rows, file.untitled, file.cut) == (2, 0, 0)


def test_titles_are_cleaned_cut_and_counted(tmp_path: Path) -> None:
    """Rows without a title are left out: nothing is known of them."""
    lines = [
        {"item_id": "1", "title": " Blue\t mug\u202e\x07 "},
        {"item_id": "2", "title": "a" * 11},
        {"item_id": "3"},
        {"item_id": "4", "title": "\u200b \n"},
        {"item_id": "5", "title": "👩\u200d🚀"},
    ]
    path = text_file(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl")
    file = TitleFile([path], longest=10)
    assert list(file.read()) == [[("1", "Blue mug"), ("2", f"{'a' * 9}…"), ("5", "👩\u200d🚀")]]
    assert (file.rows, file.untitled, file.cut) == (5, 2, 1)


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    """A directory stands for the files in it."""
    for name in ("b.csv", "a.csv"):
        text_file(tmp_path, f"item_id,title\n1,{name}\n", name)
    assert read(tmp_path) == [("1", "a.csv"), ("1", "b.csv")]
    file = TitleFile([tmp_path / "b.csv", tmp_path / "a.csv"], longest=200)
    assert list(file.read()) == [[("1", "b.csv")], [("1", "a.csv")]]
    assert file.name.endswith("b.csv and 1 more")
