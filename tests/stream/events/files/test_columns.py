"""Columns of event files: mapped, guessed, or named as missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from tests.stream.events.click_records import NOW
from tests.stream.events.files.event_files import HEADER, Rows, error_of, read


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
        (
            "visitor,page,ts",
            "--column user=visitor --column item=page --column timestamp=ts",
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
