"""What a replay by windows writes, from a made-up document."""

from typing import Any

from consumers.offline.windows.report import render
from consumers.offline.windows.result import window_result

METRICS = ("hr@20", "ndcg@20", "mrr@20")


def quality(**values: float) -> dict[str, Any]:
    """Return columns whose metrics are all the same."""
    named = {name.replace("_", "@"): value for name, value in values.items()}
    return {name: dict.fromkeys(METRICS, value) for name, value in named.items()}


DOCUMENT: dict[str, Any] = {
    "counts": {"windows": 2, "sessions": 9, "clicks": 30, "items": 7, "cases": 5},
    "models": ["joint", "graph@60", "graph@90"],
    "windows": [
        {"window": 4, "sessions": 5, "frozen": {"cases": 0}},
        {
            "window": 6,
            "sessions": 4,
            "frozen": {"cases": 5, **quality(joint=0.25, graph_60=0.125, graph_90=0.375)},
        },
    ],
    "over_windows": {"frozen": quality(joint=0.25, graph_60=0.125, graph_90=0.375)},
    "over_cases": {"frozen": {"cases": 5}},
    "options": {"events": "a<b.csv", "repeats": "include"},
}


def test_the_best_column_of_each_kind_is_shown() -> None:
    """All columns keep their means; windows have the shown ones alone."""
    found = window_result(DOCUMENT, "windows")
    assert found["shown"] == {"frozen": {"joint": "joint", "graph": "graph@90"}}
    assert found["over_windows"] == DOCUMENT["over_windows"]
    assert found["windows"][0]["frozen"] == {"cases": 0}
    assert set(found["windows"][1]["frozen"]) == {"cases", "joint", "graph@90"}
    assert found["metrics"][0] == "mrr@20"
    assert (found["published"], found["source"]) == ({}, None)


def test_published_rows_stand_beside() -> None:
    """With empty cells where nothing was published."""
    found = window_result(DOCUMENT, "ader")
    assert found["metrics"] == ["hr@20", "mrr@20"]
    text = render(found)
    assert "<td>fine-tuning with dropout (published)</td><td>0.4907</td><td></td>" in text
    assert "<td>graph@90</td><td><span class='best'>0.3750</span></td>" in text
    assert "ADER (RecSys 2020)" in text
    assert "a&lt;b.csv" in text


def test_windows_without_cases_have_no_point() -> None:
    """The curve begins with the first window that is tested."""
    text = render(window_result(DOCUMENT, "windows"))
    assert '"name": "graph@90", "x": ["6"], "y": [0.375]' in text
