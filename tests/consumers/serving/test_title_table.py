"""The file of titles: written as a whole or not at all, read without a limit to the catalogue."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.errors import ConfigError
from consumers.serving.title_table import TitleTable, write_titles
from stream.errors import StorageFullError

MANY = {f"item-{n}": f"Title {n}" for n in range(1000)}


def write(
    path: Path, *batches: list[tuple[str, str]], items: int = 10**6, size: int = 2**30
) -> int:
    return write_titles(path, batches, most_items=items, most_bytes=size)


def test_titles_are_found_by_item(tmp_path: Path) -> None:
    """However many are asked for at once, in any script."""
    path = tmp_path / "below" / "items.sqlite"
    assert write(path, list(MANY.items()), [("日本", "茶"), ("a\0b", "x?#%")]) == 1002
    table = TitleTable(path)
    assert table.count == 1002
    assert table.titles([*MANY, "unknown"]) == MANY
    assert table.titles(["日本", "a\0b", "a"]) == {"日本": "茶", "a\0b": "x?#%"}
    assert table.titles([]) == {}
    table.close()


def test_the_last_title_of_an_item_counts(tmp_path: Path) -> None:
    """In one batch, and over several."""
    path = tmp_path / "titles"
    assert write(path, [("1", "a"), ("2", "b"), ("1", "c")], [("2", "d")]) == 2
    assert TitleTable(path).titles(["1", "2"]) == {"1": "c", "2": "d"}


def test_names_of_files_may_hold_anything(tmp_path: Path) -> None:
    """The address of the database is none of SQLite's business."""
    path = tmp_path / "a ?mode=rwc#%41"
    write(path, [("1", "a")])
    assert TitleTable(path).titles(["1"]) == {"1": "a"}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_new_file_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    """Who reads the old one goes on reading it; nothing else is left in the folder."""
    path = tmp_path / "titles"
    write(path, [("1", "a")])
    old = TitleTable(path)

    def batches() -> Iterator[list[tuple[str, str]]]:
        yield [("1", "b")]
        assert TitleTable(path).titles(["1"]) == {"1": "a"}

    write_titles(path, batches(), most_items=10, most_bytes=2**30)
    assert TitleTable(path).titles(["1"]) == {"1": "b"}
    assert old.titles(["1"]) == {"1": "a"}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    """Whatever raises, and where there is no title at all."""
    path = tmp_path / "titles"
    write(path, [("1", "a")])

    def broken() -> Iterator[list[tuple[str, str]]]:
        yield [("1", "b")]
        raise ValueError("line 7")

    with pytest.raises(ValueError, match="line 7"):
        write_titles(path, broken(), most_items=10, most_bytes=2**30)
    assert write(path) == 0
    assert TitleTable(path).titles(["1"]) == {"1": "a"}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_there_are_limits(tmp_path: Path) -> None:
    """Of items, where one that comes twice counts once, and of bytes."""
    path = tmp_path / "titles"
    same = [("1", "a"), ("2", "b")]
    assert write(path, same, same, same, items=2) == 2
    with pytest.raises(ConfigError, match=r"more than 2 items: raise titles\.most_items"):
        write(path, same, [("3", "c")], items=2)
    rows = [(f"i{n}", "long title " * 10) for n in range(20_000)]
    with pytest.raises(ConfigError, match=r"more than 1,000,000 bytes: raise titles\.most_bytes"):
        write(path, rows, size=1_000_000)
    assert TitleTable(path).titles(["1", "2"]) == {"1": "a", "2": "b"}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageFullError, match=r"another file with titles\.file"):
        write(tmp_path / "file" / "titles", [("1", "a")])


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    """Only after a while: another process may be writing just now."""
    path = tmp_path / "titles"
    left, fresh = tmp_path / ".titles.0", tmp_path / ".titles.1"
    left.touch()
    fresh.touch()
    os.utime(left, (1.0, 1.0))
    write(path, [("1", "a")])
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, fresh.name}


@pytest.mark.parametrize("what", ["text", "other database", "other format", "cut off", "missing"])
def test_what_is_no_file_of_titles_is_refused(tmp_path: Path, what: str) -> None:
    """Not guessed at."""
    path = tmp_path / "titles"
    write(path, list(MANY.items()))
    if what == "text":
        path.write_bytes(b"item_id,title\n" * 1000)
    elif what == "missing":
        path.unlink()
    elif what == "cut off":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        with sqlite3.connect(path) as database:
            name = "user_version" if what == "other format" else "application_id"
            database.execute(f"PRAGMA {name} = 99")
        database.close()
    with pytest.raises(sqlite3.Error):
        TitleTable(path)
