"""Events in the order of their times."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from stream.errors import StorageFullError
from stream.events.clicks.event_columns import EventColumns
from stream.events.files import sorting
from stream.events.files.reading import EventFile
from stream.events.files.sorting import sort_events, sorted_events

HEADER = "user_id,item_id,timestamp,event,event_id\n"


def order_of(batches: list[EventColumns]) -> list[tuple[float, str]]:
    return [
        (time, user)
        for events in batches
        for time, user in zip(events.times.tolist(), events.user_ids, strict=True)
    ]


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
def test_equal_times_keep_the_order_of_the_file(tmp_path: Path, batch_rows: int) -> None:
    """The order is the one of a stable sort, whatever the batches."""
    times = np.random.default_rng(3).integers(20, size=500)
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "".join(f"u{n},i,{time},,\n" for n, time in enumerate(times)))
    file = EventFile(path, batch_rows=batch_rows)
    batches = list(sorted_events(file, directory=tmp_path))
    expected = [(float(times[n]), f"u{n}") for n in np.argsort(times, kind="stable")]
    assert order_of(batches) == expected
    assert all(len(events) <= batch_rows for events in batches)
    assert list(tmp_path.iterdir()) == [path]


def test_all_columns_survive_the_sort(tmp_path: Path) -> None:
    """Any Unicode, missing events and ids, and every bit of the time."""
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"user_id":"ü","item_id":"i\\u0000😀","timestamp":0.30000000000000004,"event":"cart",'
        '"event_id":"e\\n1"}\n{"user_id":"u","item_id":"i","timestamp":0.1}\n'
    )
    (events,) = sorted_events(EventFile(path))
    assert events.user_ids == ["u", "ü"]
    assert events.item_ids == ["i", "i\u0000😀"]
    assert events.times.tolist() == [0.1, 0.30000000000000004]
    assert events.times.dtype == np.float64
    assert events.events == [None, "cart"]
    assert events.event_ids == [None, "e\n1"]


def test_a_sorted_file_needs_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is streamed as it is, and a known summary saves the first look."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "a,i,1,,\nb,i,1,,\nc,i,2,,\n")
    monkeypatch.delattr(sorting, "sort_events")
    file = EventFile(path)
    expected = [(1.0, "a"), (1.0, "b"), (2.0, "c")]
    assert order_of(list(sorted_events(file))) == expected
    summary = file.scan()
    monkeypatch.delattr(EventFile, "scan")
    assert order_of(list(sorted_events(file, summary))) == expected


def test_a_file_that_can_be_read_once_is_sorted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sorting itself needs no first look."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "a,i,2,,\nb,i,1,,\n")
    file = EventFile(path)
    monkeypatch.setattr(file, "read", [iter(file.read())].pop)
    assert order_of(list(sort_events(file))) == [(1.0, "b"), (2.0, "a")]


def test_nothing_is_left_wherever_the_sort_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files stand in the directory without a name, so that not even SIGKILL leaves them."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "".join(f"user-{n:0200d},i,{-n % 97},,\n" for n in range(8000)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(sorting, "_CACHE_KIB", 256)
    events = sort_events(EventFile(path), directory=scratch)
    next(iter(events))
    opened = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert any(target.is_relative_to(scratch) for target in opened)
    assert list(scratch.iterdir()) == []


def test_no_room_is_an_error_that_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator learns which directory is full, by how many files, and what to do."""

    class FullDatabase(sqlite3.Connection):
        def executemany(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("database or disk is full")

    path = tmp_path / "events.csv"
    path.write_text(HEADER + "a,i,2,,\nb,i,1,,\n")
    monkeypatch.setattr(sqlite3, "connect", FullDatabase)
    with pytest.raises(StorageFullError, match=rf"events.csv.*{tmp_path}.*disk is full.*TMPDIR"):
        list(sorted_events(EventFile(path), directory=tmp_path))
    with pytest.raises(StorageFullError, match=r"events\.csv and 1 more cannot be sorted"):
        list(sorted_events(EventFile([path, path]), directory=tmp_path))


def test_a_directory_that_is_none_is_named(tmp_path: Path) -> None:
    """A wrong TMPDIR is no riddle."""
    path = tmp_path / "events.csv"
    path.write_text(HEADER + "a,i,2,,\nb,i,1,,\n")
    with pytest.raises(StorageFullError, match="nowhere"):
        list(sorted_events(EventFile(path), directory=tmp_path / "nowhere"))
