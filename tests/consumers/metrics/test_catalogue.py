"""Every metric follows the naming rules, is set by its name, and is in the manual."""

import re
from pathlib import Path
from typing import get_args

import pytest

from consumers.metrics.catalogue import CATALOGUE
from consumers.metrics.catalogue.spec import MetricSpec
from consumers.metrics.manual import metrics_page
from consumers.metrics.names import CounterName, GaugeName, HistogramName, InfoName

SOURCE = Path(__file__).parents[3] / "consumers"
NOT_BASE = {
    *("milliseconds", "microseconds", "minutes", "hours", "days", "bits", "kilobytes"),
    *("megabytes", "percent"),
}
TYPE_WORDS = {"gauge", "counter", "histogram", "summary"}
ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_names_follow_the_rules(spec: MetricSpec) -> None:
    """The rules of promlint, so that they hold where promtool is not installed."""
    words = spec.name.split("_")
    assert re.fullmatch(r"gsr(_[a-z0-9]+)+", spec.name)
    assert spec.name.endswith("_total") == (spec.kind == "counter")
    assert spec.name.endswith("_info") == (spec.kind == "info")
    assert words[-1] not in {"count", "sum", "bucket"}
    assert not set(words) & (NOT_BASE | TYPE_WORDS | ABBREVIATIONS)
    assert not {"le", "quantile"} & set(spec.labels)
    assert bool(spec.buckets) == (spec.kind == "histogram")
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert spec.help.endswith(".")
    assert spec.meaning.endswith(".")
    assert words[1] in {
        None: {"build", "steps", "retries", "heartbeat", "log"},
        "publisher": {"publisher", "served"},
    }.get(spec.role, {spec.role})


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("counter", CounterName),
        ("gauge", GaugeName),
        ("histogram", HistogramName),
        ("info", InfoName),
    ],
)
def test_every_name_is_described_once_under_its_kind(kind: str, names: object) -> None:
    """The closed set of names and the catalogue agree."""
    assert sorted(spec.name for spec in CATALOGUE if spec.kind == kind) == sorted(get_args(names))


def test_every_metric_is_set_by_its_name_in_full() -> None:
    """A search for the name finds who sets it."""
    described = SOURCE / "metrics"
    text = "".join(
        path.read_text()
        for path in SOURCE.rglob("*.py")
        if path == described / "registry.py" or described not in path.parents
    )
    assert [spec.name for spec in CATALOGUE if f'"{spec.name}"' not in text] == []


def test_the_manual_page_is_the_generated_one() -> None:
    """Run `python -m consumers.metrics.manual > docs/metrics.md` after a change."""
    page = SOURCE.parent / "docs" / "metrics.md"
    assert page.read_text() == metrics_page()
