"""Atomic writing of JSON documents."""

from pathlib import Path

import pytest

from consumers.runtime.documents import write_document


def test_keys_are_sorted_and_the_last_line_ends(tmp_path: Path) -> None:
    """The same document is the same bytes."""
    write_document({"b": [1], "a": None}, tmp_path / "d.json")
    assert (tmp_path / "d.json").read_text() == '{\n "a": null,\n "b": [\n  1\n ]\n}\n'


def test_what_json_cannot_say_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Readers of other languages know no NaN."""
    path = tmp_path / "d.json"
    write_document({"a": 1}, path)
    with pytest.raises(ValueError, match="JSON"):
        write_document({"a": float("nan")}, path)
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]
