"""Damaged event files: all that stands before the damage is read, then it is named."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stream.errors import EventFileError
from stream.events.files.columns import Columns
from stream.events.files.lines import MAX_LINE_BYTES
from stream.events.files.reading import EventFile, OnBad

Damage = Callable[[list[bytes]], tuple[bytes, int]]
"""Makes a file of lines; returns how many of them can still be read."""

COLUMNS = Columns(user="u", item="i", timestamp="t")
KINDS = {
    "csv": ([b"u,i,t,note\n"], b"u%d,i,1506826800,%x\n"),
    "jsonl": ([], b'{"u":"u%d","i":"i","t":1506826800,"note":"%x"}\n'),
}


def lines_of(kind: str, count: int) -> list[bytes]:
    """Return lines that compress badly, the header first where there is one."""
    header, row = KINDS[kind]
    notes = np.random.default_rng(7).integers(2**62, size=count).tolist()
    return [*header, *(row % (k, notes[k]) for k in range(count))]


def cut_off(lines: list[bytes]) -> tuple[bytes, int]:
    packed = gzip.compress(b"".join(lines))
    kept = packed[: len(packed) * 9 // 10]
    return kept, zlib.decompressobj(wbits=31).decompress(kept).count(b"\n")


def too_long(lines: list[bytes]) -> tuple[bytes, int]:
    place = len(lines) - 5
    long = b"x" * (MAX_LINE_BYTES + 1) + b"\n"
    return b"".join([*lines[:place], long, *lines[place:]]), place


def read(path: Path, on_bad: OnBad = "fail") -> tuple[list[str], EventFileError]:
    """Return the users of what was read, and what ended it."""
    users: list[str] = []
    try:
        for events in EventFile(path, COLUMNS, on_bad=on_bad).read():
            users.extend(events.user_ids)
    except EventFileError as error:
        return users, error
    pytest.fail("the file was read to its end")


@pytest.mark.parametrize("on_bad", ["fail", "skip"])
@pytest.mark.parametrize("damage", [cut_off, too_long])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [20, 24_000])
def test_whole_lines_before_damage_are_read(
    tmp_path: Path, kind: str, damage: Damage, count: int, on_bad: OnBad
) -> None:
    """To the last one, wherever batches end; the error names the line behind it."""
    lines = lines_of(kind, count)
    content, good = damage(lines)
    path = tmp_path / f"clicks.{kind}"
    path.write_bytes(content)
    users, error = read(path, on_bad)
    events = good - (kind == "csv")
    assert users == [f"u{k}" for k in range(events)]
    assert error.line == good + 1


@pytest.mark.parametrize(
    "stray",
    [
        b'u,i,1506826800,"open\n',
        b'"u,i,1506826800,open\n',
    ],
)
@pytest.mark.parametrize("behind", [1, 15_000])
@pytest.mark.parametrize("closes", [False, True])
def test_rows_before_a_stray_quote_are_read(
    tmp_path: Path, stray: bytes, behind: int, closes: bool
) -> None:
    """Whether it swallows all that follows, or rows up to the next one."""
    lines = lines_of("csv", 21)
    lines[3] = b'u2,i,1506826800,"two\nlines"\n'
    hidden = [b"h,i,1506826800,x\n"] * behind
    end = [b'h,i,1506826800,"\n', b"h,i,1506826800,x\n"] if closes else []
    path = tmp_path / "clicks.csv"
    path.write_bytes(b"".join([*lines, stray, *hidden, *end]))
    users, error = read(path, "skip")
    assert users == [f"u{k}" for k in range(21)]
    assert error.line == 24
    assert "quote" in error.reason
