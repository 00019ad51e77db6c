"""Each role has a registry of its own, with its metrics of the catalogue from the start."""

import subprocess
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumers.metrics.catalogue import CATALOGUE
from consumers.metrics.catalogue.spec import ROLES
from consumers.metrics.registry import Metrics
from stream.clock import ManualClock


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
