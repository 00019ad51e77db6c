"""Paths that the operator names: several files, directories, and what cannot be read."""

import os
from pathlib import Path
from typing import Any

import pytest

from stream.errors import EventFileError
from stream.events.files.reading import EventFile
from stream.events.files.sorting import sorted_events
from tests.stream.events.files.event_files import csv_of, message_of, parquet_of, users


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
    assert f"{bad}, line 3: 2 fields" in message_of([good, bad])
    file = EventFile([good, bad, bad], on_bad="skip")
    assert file.scan().events == 3
    assert file.skipped == {"malformed_row": 2}


def test_one_log_has_one_unit(tmp_path: Path) -> None:
    """Parts that count differently were not meant to be read together."""
    seconds, milliseconds = tmp_path / "a.csv", tmp_path / "b.csv"
    seconds.write_bytes(csv_of("u1"))
    milliseconds.write_bytes(csv_of("u2", time=1_506_826_800_000))
    assert f"{milliseconds}, line 2" in message_of([seconds, milliseconds])


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
    assert "is a directory without event files (.csv" in message_of(tmp_path)
    (tmp_path / "a.csv").write_bytes(csv_of("u1"))
    (tmp_path / "a.parquet").write_bytes(parquet_of("u1"))
    assert "several formats (1 csv, 1 parquet): name the files" in message_of(tmp_path)


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
    assert "cannot be read (Permission denied): check the path" in message_of(good)
