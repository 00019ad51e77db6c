"""What is read: files in order, directories, standard input and other pipes."""

import gzip
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile
from stream.events.files.sorting import sorted_events

HEADER = "user_id,item_id,timestamp\n"


def csv_of(*users: str, time: int = 1_506_826_800) -> bytes:
    return (HEADER + "".join(f"{user},i,{time}\n" for user in users)).encode()


def parquet_of(*users: str) -> bytes:
    sink = io.BytesIO()
    count = len(users)
    table = {"user_id": users, "item_id": ["i"] * count, "timestamp": [1_506_826_800] * count}
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


def users(path: Any, **options: Any) -> list[str]:
    return [user for events in EventFile(path, **options).read() for user in events.user_ids]


def error_of(path: Any, **options: Any) -> str:
    with pytest.raises(EventFileError) as caught:
        users(path, **options)
    return str(caught.value)


@contextmanager
def piped(content: bytes) -> Iterator[int]:
    """Return the end of a pipe from which the content comes, as from another program."""
    out, into = os.pipe()

    def write() -> None:
        with os.fdopen(into, "wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield out
    finally:
        writer.join()


@contextmanager
def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> Iterator[None]:
    with piped(content) as out, os.fdopen(out, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield


CONTENTS = {
    "csv": csv_of("u1", "u2"),
    "csv, packed": gzip.compress(csv_of("u1", "u2")),
    "json": b'{"user_id":"u1","item_id":"i","timestamp":1}\n'
    b'{"user_id":"u2","item_id":"i","timestamp":2}\n',
    "parquet": parquet_of("u1", "u2"),
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch, name: str, content: str) -> None:
    """Of any format and compression, known by its content."""
    with standard_input(monkeypatch, CONTENTS[content]):
        assert users(name) == ["u1", "u2"]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_pipe_may_be_looked_through_twice(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """A scan keeps what came, so that reading afterwards finds it, and unsorted is sorted."""
    with standard_input(monkeypatch, CONTENTS[content]):
        file = EventFile("-")
        assert file.scan().events == 2
        assert [user for events in sorted_events(file) for user in events.user_ids] == ["u1", "u2"]
        assert file.progress == 1.0


def test_any_other_pipe_is_read_once(tmp_path: Path) -> None:
    """As shells make them for <(command); a second reading says why it cannot be."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(csv_of("u1") * 4_000))
    writer.start()
    file = EventFile(path, on_bad="skip")
    assert sum(len(events) for events in file.read()) == 4_000
    writer.join()
    with pytest.raises(EventFileError, match="can be read only once: write it to a file first"):
        list(file.read())


def test_standard_input_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named twice, closed, or empty: each is a plain error."""
    assert "standard input: is named twice" in error_of(["-", "/dev/stdin"])
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input: cannot be read (it is closed)" in error_of("-")
    with standard_input(monkeypatch, b""):
        assert "standard input: is empty" in error_of("-")


def test_a_pipe_does_not_tell_the_order_of_day_and_month_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That needs a second look, and the error names the option."""
    content = (HEADER + "u,i,03/04/2019\n" * 9 + "u,i,13/04/2019\n").encode()
    with standard_input(monkeypatch, content):
        assert len(users("-")) == 10
    content = (HEADER + "u,i,03/04/2019\n" * 20_000 + "u,i,13/04/2019\n").encode()
    with standard_input(monkeypatch, content):
        assert "--time-format '%d/%m/%Y" in error_of("-")
    with standard_input(monkeypatch, content):
        assert len(users("-", dialect=FileDialect(time_format="%d/%m/%Y"))) == 20_001
    with standard_input(monkeypatch, content):
        assert EventFile("-").scan().events == 20_001


def test_dates_that_both_orders_read_alike_ask_for_no_second_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a pipe they are read as they come, also before rows that tell the order."""
    same, other = "u,i,11/11/2021\n", "u,i,13/04/2019\n"
    for rows in (same * 3, same * 20_000 + other):
        with standard_input(monkeypatch, (HEADER + rows).encode()):
            assert len(users("-")) == rows.count("\n")


def test_several_files_are_one_log(tmp_path: Path) -> None:
    """In the order given, of whatever format; times are compared across them."""
    later, early = tmp_path / "b.csv", tmp_path / "a.parquet"
    later.write_bytes(csv_of("u3", time=1_506_826_900))
    early.write_bytes(parquet_of("u1", "u2"))
    assert users([later, early, later]) == ["u3", "u1", "u2", "u3"]
    assert EventFile([early, later]).scan().sorted
    file = EventFile([later, early])
    assert not file.scan().sorted
    assert [u for events in sorted_events(file) for u in events.user_ids] == ["u1", "u2", "u3"]
    assert file.name == "b.csv and 1 more"
    assert file.progress == 1.0


def test_progress_goes_on_over_files(tmp_path: Path) -> None:
    """By their sizes on disk."""
    paths = [tmp_path / f"{at}.csv" for at in range(4)]
    for path in paths:
        path.write_bytes(csv_of(*["u"] * 10))
    file = EventFile(paths)
    assert [round(file.progress, 2) for _ in file.read()] == [0.25, 0.5, 0.75, 1.0]


def test_errors_and_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """And a bad row of the second file counts among those skipped."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(csv_of("u1"))
    bad.write_bytes(csv_of("u2") + b"u3,i\n")
    assert f"{bad}, line 3: 2 fields" in error_of([good, bad])
    file = EventFile([good, bad, bad], on_bad="skip")
    assert file.scan().events == 3
    assert file.skipped == {"malformed_row": 2}


def test_one_log_has_one_unit(tmp_path: Path) -> None:
    """Parts that count differently were not meant to be read together."""
    seconds, milliseconds = tmp_path / "a.csv", tmp_path / "b.csv"
    seconds.write_bytes(csv_of("u1"))
    milliseconds.write_bytes(csv_of("u2", time=1_506_826_800_000))
    assert f"{milliseconds}, line 2" in error_of([seconds, milliseconds])


@pytest.mark.parametrize("write", [csv_of, parquet_of])
def test_a_directory_means_its_event_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, write: Any
) -> None:
    """By name, from all levels, without what other programs leave there."""
    suffix = "parquet" if write is parquet_of else "csv"
    for name, user in (("part-2", "u2"), ("part-10", "u10"), ("day=1/part-0", "u0")):
        path = tmp_path / f"{name}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write(user))
    for name in ("_SUCCESS", ".part-2.crc", f"_temporary.{suffix}"):
        (tmp_path / name).write_bytes(b"x")
    assert users(tmp_path) == ["u0", "u10", "u2"]
    assert caplog.text == ""
    (tmp_path / "README").write_bytes(b"x")
    assert users(tmp_path) == ["u0", "u10", "u2"]
    assert "reads 3 of 4 files" in caplog.text


def test_a_directory_without_a_clear_meaning_is_an_error(tmp_path: Path) -> None:
    """None that is an event file, or the same events twice in two formats."""
    (tmp_path / "notes").write_bytes(b"x")
    assert "is a directory without event files (.csv" in error_of(tmp_path)
    (tmp_path / "a.csv").write_bytes(csv_of("u1"))
    (tmp_path / "a.parquet").write_bytes(parquet_of("u1"))
    assert "several formats (1 csv, 1 parquet): name the files" in error_of(tmp_path)


def test_what_cannot_be_read_is_found_before_the_first_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its cause: a file that is missing, a loop, a file of somebody else, no room to keep."""
    good = tmp_path / "good.csv"
    good.write_bytes(csv_of("u1"))
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    for path, cause in ((tmp_path / "none.csv", "No such file"), (loop, "symbolic links")):
        file = EventFile([good, path])
        with pytest.raises(EventFileError, match=cause):
            next(file.read())
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be read (Permission denied): check the path" in error_of(good)
