"""The ids of one view after the other are what each of them says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.serving.item_ids import ItemIds

IDS = st.lists(st.sampled_from(["", "a", "b", "ab", "ä", "日本", "x" * 300]), max_size=6)


def _columns(ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [one.encode() for one in ids]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), bounds


@given(st.lists(IDS, max_size=6))
def test_each_view_has_its_own(views: list[list[str]]) -> None:
    """Whatever the one before had; and lists that were handed out stay as they are."""
    ids = ItemIds()
    found = [ids.follow(*_columns(view)) for view in views]
    assert found == views


def test_what_stays_is_the_same_string() -> None:
    """And the same list, where all stays: nobody needs to compare."""
    ids = ItemIds()
    first = ids.follow(*_columns(["tea", "jam", "egg"]))
    assert ids.follow(*_columns(["tea", "jam", "egg"])) is first
    second = ids.follow(*_columns(["tea", "honey", "egg", "pie"]))
    assert second == ["tea", "honey", "egg", "pie"]
    assert second[0] is first[0]
    assert second[2] is first[2]


@pytest.mark.parametrize(
    "bounds",
    [*map(np.array, ([0, 9], [-1, 3], [0, 3, 2], [0.0, 3.0], [[0, 3]])), np.zeros(0, np.int64)],
)
def test_bounds_outside_of_the_bytes_are_refused(bounds: np.ndarray) -> None:
    """And nothing of them is kept."""
    ids, (block, _) = ItemIds(), _columns(["tea"])
    ids.follow(*_columns(["jam"]))
    with pytest.raises(ValueError, match="bounds"):
        ids.follow(block, bounds)
    assert ids.follow(*_columns(["jam"])) == ["jam"]


def test_bytes_that_are_no_text_are_refused() -> None:
    ids = ItemIds()
    ids.follow(*_columns(["jam"]))
    with pytest.raises(UnicodeDecodeError):
        ids.follow(np.array([255], dtype=np.uint8), np.array([0, 1]))
    assert ids.follow(*_columns(["jam", "egg"])) == ["jam", "egg"]
