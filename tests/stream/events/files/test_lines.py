"""Lines of a text file: whole, of limited length, and text."""

from pathlib import Path

import pytest

from stream.events.files.reading import EventFile
from tests.stream.events.files.event_files import error_of

LINE = 1_048_576


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("before", [0, 1, 40_000])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_has_a_mebibyte(tmp_path: Path, kind: str, before: int, line_end: str) -> None:
    """Without its end, wherever blocks are cut."""
    if kind == "jsonl" and line_end == "\r":
        line_end = "\n"
    path = tmp_path / f"events.{kind}"
    start = '{"user_id":"u","item_id":"i","timestamp":1,"note":"' if kind == "jsonl" else "u,i,1,"
    stop = '"}' if kind == "jsonl" else ""
    filler = (start + stop + (line_end or "\n")) * before
    header = "user_id,item_id,timestamp,note" + (line_end or "\n") if kind == "csv" else ""
    room = LINE - len(start) - len(stop)
    path.write_bytes((header + filler + start + "x" * room + stop + line_end).encode())
    assert EventFile(path).scan().events == before + 1
    path.write_bytes((header + filler + start + "x" * (room + 1) + stop + line_end).encode())
    with pytest.raises(Exception, match="more than 1 MiB"):
        EventFile(path, on_bad="skip").scan()


@pytest.mark.parametrize("name", ["events.csv", "events.jsonl", "events.bin"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)) * 40, "is binary"),
        ("user_id,item_id,timestamp\n".encode("utf-16"), "UTF-16"),
        (b"x" * 2_000_000, "more than 1 MiB"),
        (b"\x1f\x8b" + b"x" * 50, "damaged"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 50, "damaged"),
    ],
)
def test_garbage_is_called_by_name(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Binary files, other encodings and endless lines are refused at once."""
    path = tmp_path / name
    path.write_bytes(content)
    assert words in str(error_of(path, on_bad="skip"))
