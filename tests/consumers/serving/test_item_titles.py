"""Titles follow their file; without one, or with a damaged one, items go by their ids."""

import logging
from pathlib import Path

import pytest

from consumers.serving import item_titles
from consumers.serving.item_titles import ItemTitles, names_in_words
from consumers.serving.title_table import write_titles


def write(path: Path, titles: dict[str, str]) -> None:
    write_titles(path, [titles.items()], most_items=10**6, most_bytes=2**30)


def test_a_file_is_followed(tmp_path: Path) -> None:
    """One that comes, another in its place, and none any more."""
    path = tmp_path / "titles"
    titles = ItemTitles(path)
    assert (titles.of(["i1"]), titles.count) == ({}, 0)
    assert not titles.refresh()
    generation = titles.generation
    write(path, {"i1": "Blue mug", "i2": "Tea"})
    assert titles.of(["i1"]) == {}
    assert titles.refresh()
    assert titles.generation > generation
    assert (titles.of(["i1", "i3", "i1"]), titles.count) == ({"i1": "Blue mug"}, 2)
    assert not titles.refresh()
    write(path, {"i1": "Red mug"})
    assert titles.of(["i1"]) == {"i1": "Blue mug"}
    assert titles.refresh()
    assert titles.of(["i1", "i2"]) == {"i1": "Red mug"}
    path.unlink()
    assert titles.refresh()
    assert (titles.of(["i1"]), titles.count) == ({}, 0)
    titles.close()
    titles.close()


def test_a_file_that_cannot_be_read_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With what to do; a good one is taken over afterwards."""
    path = tmp_path / "titles"
    path.write_bytes(b"no titles" * 1000)
    with caplog.at_level(logging.WARNING):
        titles = ItemTitles(path)
        assert not titles.refresh()
    assert titles.of(["i1"]) == {}
    assert [record.message.count("gsr items load") for record in caplog.records] == [1]
    write(path, {"i1": "Blue mug"})
    assert titles.refresh()
    assert titles.of(["i1"]) == {"i1": "Blue mug"}
    titles.close()


def test_damage_that_shows_later_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Items go by their ids from then on, until there is another file."""
    path = tmp_path / "titles"
    write(path, {f"i{n}": f"Title {n}" for n in range(5000)})
    data = bytearray(path.read_bytes())
    data[3 * 4096 :] = b"\xff" * (len(data) - 3 * 4096)
    path.write_bytes(data)
    titles = ItemTitles(path)
    with caplog.at_level(logging.ERROR):
        for n in range(0, 5000, 500):
            titles.of([f"i{n}"])
    assert sum("are damaged" in record.message for record in caplog.records) == 1
    assert (titles.of(["i1"]), titles.count) == ({}, 0)
    write(path, {"i1": "Blue mug"})
    assert titles.refresh()
    assert titles.of(["i1"]) == {"i1": "Blue mug"}
    titles.close()


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, and however much at once."""
    monkeypatch.setattr(item_titles, "KEPT_TITLES", 10)
    path = tmp_path / "titles"
    known = {f"i{n}": f"Title {n}" for n in range(100)}
    write(path, known)
    titles = ItemTitles(path)
    for start in range(0, 97, 3):
        asked = [f"i{start + n}" for n in range(4)] + ["unknown"]
        assert titles.of(asked) == {item: known[item] for item in asked if item in known}
        assert len(titles._kept) <= 10  # noqa: SLF001  # what is bounded
    assert titles.of(known) == known
    assert titles.of(["i1"]) == {"i1": "Title 1"}
    titles.close()


def test_long_titles_are_cut_in_sentences() -> None:
    """Ids never are: they would name another item."""
    name = names_in_words({"i1": "Blue mug, large, " * 9})
    assert len(name("i1")) <= item_titles.LONGEST_IN_WORDS
    assert name("i1").endswith("…")
    assert name("x" * 256) == "x" * 256
