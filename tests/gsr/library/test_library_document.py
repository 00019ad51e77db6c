"""The page about the library is true: what it shows was run."""

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "library.md"


def test_every_line_of_the_page_runs() -> None:
    """And prints what the page says."""
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert found.attempted > 20
    assert found.failed == 0
