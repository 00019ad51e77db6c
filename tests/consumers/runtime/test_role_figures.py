"""Figures of the roles are what their metrics say."""

from collections.abc import Iterator

import pytest

from consumers.demo.screen import status
from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from consumers.runtime.role_figures import Figures, Sample, Scraper, parse_samples, summarise
from stream.clock import ManualClock

ALL = frozenset({"ingest", "trainer", "publisher"})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def roles(clock: ManualClock) -> dict[str, Metrics]:
    return {role: Metrics(role, clock) for role in ALL}


def figures_of(roles: dict[str, Metrics]) -> Figures:
    samples: dict[Sample, float] = {}
    for metrics in roles.values():
        samples |= parse_samples(metrics.render().decode())
    return summarise(samples, ALL)


def test_fresh_roles_have_all_figures_at_zero(roles: dict[str, Metrics]) -> None:
    """Every name that the demo asks for is in the catalogue."""
    assert figures_of(roles) == Figures(answering=ALL)


def test_a_model_that_nobody_is_served_by_has_no_quality(roles: dict[str, Metrics]) -> None:
    """It has learned nothing: its zeros would read as a model that fails."""
    trainer, publisher = roles["trainer"], roles["publisher"]
    trainer.counter("gsr_trainer_clicks_scored_total").inc(3)
    trainer.gauge("gsr_trainer_hit_ratio").labels("graph", "10", "all").set(0.5)
    assert figures_of(roles).hit_rate == {"graph": 0.5, "popularity": 0.0}
    trainer.gauge("gsr_trainer_snapshot_version").set(1)
    assert figures_of(roles).hit_rate == {"joint": 0.0, "graph": 0.5, "popularity": 0.0}
    trainer.gauge("gsr_trainer_snapshot_version").set(0)  # started again, nothing published since
    publisher.gauge("gsr_publisher_model_version").set(1)
    assert figures_of(roles).hit_rate == {"joint": 0.0, "graph": 0.5, "popularity": 0.0}


def test_figures_follow_the_metrics(roles: dict[str, Metrics]) -> None:
    """Labels are selected or summed as they mean."""
    ingest, trainer, publisher = roles["ingest"], roles["trainer"], roles["publisher"]
    ingest.counter("gsr_ingest_clicks_total").labels("accepted").inc(10)
    ingest.counter("gsr_ingest_clicks_total").labels("duplicate").inc(5)
    for reason in ("click", "cold"):
        publisher.counter("gsr_publisher_lists_total").labels(reason).inc(2)
    trainer.counter("gsr_trainer_clicks_scored_total").inc(3)
    publisher.gauge("gsr_publisher_model_version").set(1)
    trainer.gauge("gsr_trainer_hit_ratio").labels("joint", "10", "all").set(0.25)
    trainer.gauge("gsr_trainer_hit_ratio").labels("joint", "20", "all").set(0.5)
    trainer.gauge("gsr_trainer_ndcg_ratio").labels("graph", "10", "all").set(0.125)
    publisher.counter("gsr_served_clicks_total").labels("hit", "click").inc()
    publisher.gauge("gsr_served_hit_ratio").set(0.75)
    delay = publisher.histogram("gsr_publisher_click_to_list_seconds")
    for _ in range(99):
        delay.observe(0.15)
    delay.observe(4.0)
    figures = figures_of(roles)
    assert (figures.clicks, figures.lists) == (10, 4)
    assert figures.hit_rate["joint"] == 0.25
    assert figures.ndcg["graph"] == 0.125
    assert figures.served_hit_rate == 0.75
    assert figures.delay_median == pytest.approx(0.15, abs=0.05)
    assert figures.delay_99 is not None
    assert figures.delay_99 <= 5.0


@pytest.fixture
def server(roles: dict[str, Metrics]) -> Iterator[HealthServer]:
    server = HealthServer("127.0.0.1", 0, roles["ingest"], 10.0)
    yield server
    server.close()


def test_roles_that_do_not_answer_are_told(
    server: HealthServer,
) -> None:
    """One role answers, another has no server yet."""
    scraper = Scraper("127.0.0.1", {"ingest": server.port, "trainer": 1}, seconds=0.01)
    while not scraper.figures.answering:
        pass
    scraper.close()
    assert scraper.figures.answering == {"ingest"}
    assert "publisher, trainer" in status(scraper.figures)
