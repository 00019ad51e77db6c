"""`gsr items load`: titles from files, and what then names items by them."""

import json
from pathlib import Path

import pytest

from consumers.serving.title_table import TitleTable
from tests.consumers.command_line import gsr

STORED = Path("run/state/items.sqlite")


def stored(*items: str) -> dict[str, str]:
    table = TitleTable(STORED)
    try:
        return table.titles(items)
    finally:
        table.close()


def test_titles_are_loaded_and_counted() -> None:
    """Into the state's directory, which need not be there yet; a second load replaces the first."""
    Path("t.csv").write_text(f"item_id,title\ni1,Blue mug\ni2,\ni3,{'a' * 300}\ni1,Red mug\n")
    result = gsr("items", "load", "t.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "left out 1 rows without a title",
        "cut 1 titles to 200 characters",
        f"2 items have a title now, in {STORED}",
    ]
    assert stored("i1", "i2") == {"i1": "Red mug"}
    Path("t.jsonl").write_text('{"sku": 9, "name": "Tea"}\n')
    gsr("items", "load", "t.jsonl", "--column", "item=sku", "--column", "title=name")
    assert stored("i1", "9") == {"9": "Tea"}


def test_standard_input_and_numbered_columns() -> None:
    """As commands that read event files have them."""
    result = gsr(
        *("items", "load", "-", "--no-header", "--column", "item=1", "--column", "title=2"),
        answer="1|Toy Story (1995)|x\n2|GoldenEye (1995)|y\n",
    )
    assert result.exit_code == 0, result.output
    assert stored("1", "2") == {"1": "Toy Story (1995)", "2": "GoldenEye (1995)"}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--column", "user=x"], 2, "where ROLE is one of item, title"),
        (["--column", "item=title"], 2, "columns need 2 different names"),
        (["--column", "title=name"], 10, "line 1: the header has no column name"),
        (["--set", "titles.most_items=1"], 2, "raise titles.most_items"),
        (["--no-header"], 10, "columns go by number"),
        (["missing.csv"], 10, "missing.csv: cannot be read"),
        (["empty.csv"], 10, "holds no item with a title"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    options: list[str], code: int, words: str
) -> None:
    """With the code of its kind."""
    Path("t.csv").write_text("item_id,title\ni1,Blue mug\ni2,Tea\n")
    Path("empty.csv").write_text("item_id,title\ni1,\n")
    gsr("items", "load", "t.csv")
    given = [] if options[0].endswith(".csv") else ["t.csv"]
    result = gsr("items", "load", *given, *options)
    assert result.exit_code == code, result.output
    assert words in " ".join(result.stderr.split())
    assert stored("i1", "i2") == {"i1": "Blue mug", "i2": "Tea"}


def test_bad_rows_are_named_or_skipped() -> None:
    """By file and line."""
    Path("t.csv").write_text("item_id,title\ni1,Blue mug\n,Tea\n")
    result = gsr("items", "load", "t.csv")
    assert result.exit_code == 10
    assert "t.csv, line 3: the item id is empty" in result.stderr
    assert not STORED.exists()
    result = gsr("items", "load", "t.csv", "--skip-bad")
    assert result.exit_code == 0
    assert "skipped 1 bad row: 1 id_length" in result.stderr
    assert stored("i1") == {"i1": "Blue mug"}


def test_another_file_of_titles_is_named_by_a_setting() -> None:
    """Such as on a machine that only serves."""
    Path("t.csv").write_text("item_id,title\ni1,Blue mug\n")
    assert gsr("items", "load", "t.csv", "--set", "titles.file=other/t").exit_code == 0
    assert Path("other/t").exists()
    assert not STORED.exists()


def test_simulated_items_have_titles_that_load() -> None:
    """And the clicks are the same with and without them."""
    plain = gsr("simulate", "--events", "500")
    titled = gsr("simulate", "--events", "500", "--titles", "t.csv")
    assert titled.exit_code == 0
    assert titled.stdout == plain.stdout
    result = gsr("items", "load", "t.csv")
    assert result.exit_code == 0, result.output
    items = {json.loads(line)["item_id"] for line in titled.stdout.splitlines()}
    assert stored(*items).keys() == items
