"""Rows are found by id and by fingerprint while views come and go."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consumers.serving.item_index import ItemIndex
from consumers.serving.view import ServingView
from gsr.counters.ids.fingerprint import fingerprint
from tests.consumers.views import view_of

IDS = st.lists(st.sampled_from(["", "a", "b", "c", "d", "é"]), max_size=6)


def _unique(ids: list[str]) -> list[str]:
    return [item if item not in ids[:at] else "" for at, item in enumerate(ids)]


@given(st.lists(IDS, min_size=1, max_size=4))
def test_follows_any_views(views: list[list[str]]) -> None:
    """After any views, the last one alone decides."""
    index, ids = ItemIndex(), []
    for raw in views:
        ids = _unique(raw)
        index.follow(_view(ids))
    for item in ["a", "b", "c", "d", "é", "unknown"]:
        expected = ids.index(item) if item in ids else -1
        assert index.row_of(item) == expected
        marks = np.array([fingerprint(item)], dtype=np.uint32)
        rows, counts = index.by_fingerprint.rows_with(marks)
        assert rows.tolist() == ([expected] if expected >= 0 else [])
        assert counts.tolist() == [len(rows)]
    assert index.rows_of(ids).tolist() == [n if item else -1 for n, item in enumerate(ids)]


def test_mask() -> None:
    """Unknown items mask nothing."""
    index = ItemIndex()
    index.follow(_view(["a", "b", "c"]))
    assert index.mask({"b", "x"}).tolist() == [False, True, False]


def _view(ids: list[str]) -> ServingView:
    return view_of(dict.fromkeys(ids, 1.0)) if all(ids) else view_of({}, ids=ids)
