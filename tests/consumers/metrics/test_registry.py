"""Every metric follows the naming rules, exists from the start, and is in the manual."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.metrics.catalogue import CATALOGUE
from consumers.metrics.catalogue.spec import ROLES, MetricSpec
from consumers.metrics.manual import metrics_page
from consumers.metrics.names import CounterName, GaugeName, HistogramName, InfoName
from consumers.metrics.registry import Metrics
from stream.clock import ManualClock

SOURCE = Path(__file__).parents[3] / "consumers"
NOT_BASE = {
    *("milliseconds", "microseconds", "minutes", "hours", "days", "bits", "kilobytes"),
    *("megabytes", "percent"),
}
TYPE_WORDS = {"gauge", "counter", "histogram", "summary"}
ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.mark.parametrize("role", ROLES)
def test_promtool_finds_nothing(
    role: str, clock: ManualClock, program: Callable[[str], str]
) -> None:
    """`promtool check metrics` passes what a fresh role exports."""
    result = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=Metrics(role, clock).render(),
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


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
    assert spec.role is None or words[1] == spec.role


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


@pytest.mark.parametrize("role", ROLES)
def test_series_exist_from_the_start(role: str, clock: ManualClock) -> None:
    """A rate over a series that appears with its first event would miss that event."""
    families = text_string_to_metric_families(Metrics(role, clock).render().decode())
    shown = {
        (sample.name, *sorted(sample.labels.items()))
        for family in families
        for sample in family.samples
    }
    names = {name for name, *_ in shown}
    for spec in CATALOGUE:
        if spec.role in (None, role) and all(spec.labels.values()):
            assert spec.name in names or f"{spec.name}_bucket" in names
    if role == "ingest":
        assert ("gsr_ingest_clicks_total", ("outcome", "duplicate")) in shown
    if role == "trainer":
        labels = (("k", "20"), ("model", "graph"), ("slice", "new_items"))
        assert ("gsr_trainer_hit_ratio", *labels) in shown


def test_a_role_has_only_its_own_metrics(clock: ManualClock) -> None:
    """Another role's metric would stay at 0 and mislead."""
    metrics = Metrics("ingest", clock)
    assert b"gsr_trainer" not in metrics.render()
    with pytest.raises(LookupError, match="gsr_trainer_loss"):
        metrics.gauge("gsr_trainer_loss")


def test_a_name_of_another_kind_or_of_none_is_refused(clock: ManualClock) -> None:
    """By mypy, which would call these comments unused, and when it is asked for."""
    metrics = Metrics("ingest", clock)
    with pytest.raises(LookupError, match="no counter gsr_ingest_items"):
        metrics.counter("gsr_ingest_items")  # type: ignore[arg-type]  # it is a gauge
    with pytest.raises(LookupError, match="no gauge gsr_ingest_item"):
        metrics.gauge("gsr_ingest_item")  # type: ignore[arg-type]  # it is misspelt


def test_two_roles_do_not_meet_in_one_registry(clock: ManualClock) -> None:
    """Tests and replays build several."""
    first, second = Metrics("ingest", clock), Metrics("ingest", clock)
    first.counter("gsr_ingest_records_total").inc()
    assert second.registry.get_sample_value("gsr_ingest_records_total") == 0.0


def test_gauges_may_be_set_at_scrape_time(clock: ManualClock) -> None:
    """What costs time to measure is measured when someone asks."""
    metrics = Metrics("ingest", clock)
    metrics.on_scrape(lambda: metrics.gauge("gsr_ingest_items").set(7))
    assert b"gsr_ingest_items 7.0" in metrics.render()


def test_the_heartbeat_is_a_timestamp(clock: ManualClock) -> None:
    """Age is computed by who asks."""
    metrics = Metrics("trainer", clock)
    clock.sleep(5.0)
    assert metrics.heartbeat_age() == 5.0
    metrics.step_done()
    assert metrics.heartbeat_age() == 0.0
    value = metrics.registry.get_sample_value
    assert value("gsr_heartbeat_timestamp_seconds") == 1005.0
    assert value("gsr_steps_total") == 1.0


def test_the_process_and_the_build_are_exported(clock: ManualClock) -> None:
    """Memory, open files and version come with every role."""
    text = Metrics("publisher", clock).render().decode()
    for name in ("process_resident_memory_bytes", "process_open_fds", 'role="publisher"'):
        assert name in text


def test_the_manual_page_is_the_generated_one() -> None:
    """Run `python -m consumers.metrics.manual > docs/metrics.md` after a change."""
    page = SOURCE.parent / "docs" / "metrics.md"
    assert page.read_text() == metrics_page()
