"""Standard input and other pipes, which can be read only once."""

import gzip
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile
from stream.events.files.sorting import sorted_events
from tests.stream.events.files.event_files import (
    HEADER,
    csv_of,
    message_of,
    parquet_of,
    users,
)


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
    assert "standard input: is named twice" in message_of(["-", "/dev/stdin"])
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input: cannot be read (it is closed)" in message_of("-")
    with standard_input(monkeypatch, b""):
        assert "standard input: is empty" in message_of("-")


def test_a_pipe_does_not_tell_the_order_of_day_and_month_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That needs a second look, and the error names the option."""
    content = (HEADER + "u,i,03/04/2019\n" * 9 + "u,i,13/04/2019\n").encode()
    with standard_input(monkeypatch, content):
        assert len(users("-")) == 10
    content = (HEADER + "u,i,03/04/2019\n" * 20_000 + "u,i,13/04/2019\n").encode()
    with standard_input(monkeypatch, content):
        assert "--time-format '%d/%m/%Y" in message_of("-")
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
