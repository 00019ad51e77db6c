"""The demo's data: the roles' metrics, and one shopper from the topics."""

from collections.abc import Iterator

import pytest

from consumers.config.settings import GsrConfig
from consumers.demo.readings import (
    Figures,
    Sample,
    Scraper,
    ShopperWindow,
    parse_samples,
    summarise,
)
from consumers.demo.screen import status
from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from stream.clock import ManualClock
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing

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
    assert figures_of(roles) == Figures(
        answering=ALL, hit_rate={"joint": 0.0, "graph": 0.0, "popularity": 0.0}
    )


def test_figures_follow_the_metrics(roles: dict[str, Metrics]) -> None:
    """Labels are selected or summed as they mean."""
    ingest, trainer, publisher = roles["ingest"], roles["trainer"], roles["publisher"]
    ingest.counter("gsr_ingest_clicks_total").labels("accepted").inc(10)
    ingest.counter("gsr_ingest_clicks_total").labels("duplicate").inc(5)
    for reason in ("click", "cold"):
        publisher.counter("gsr_publisher_lists_total").labels(reason).inc(2)
    trainer.gauge("gsr_trainer_hit_ratio").labels("joint", "10", "all").set(0.25)
    trainer.gauge("gsr_trainer_hit_ratio").labels("joint", "20", "all").set(0.5)
    delay = publisher.histogram("gsr_publisher_click_to_list_seconds")
    for _ in range(99):
        delay.observe(0.15)
    delay.observe(4.0)
    figures = figures_of(roles)
    assert (figures.clicks, figures.lists) == (10, 4)
    assert figures.hit_rate["joint"] == 0.25
    assert figures.delay_median == pytest.approx(0.15, abs=0.05)
    assert figures.delay_99 is not None
    assert figures.delay_99 <= 5.0


@pytest.fixture
def server(roles: dict[str, Metrics]) -> Iterator[HealthServer]:
    server = HealthServer("127.0.0.1", 0, roles["ingest"], 10.0)
    yield server
    server.close()


def test_roles_that_do_not_answer_are_told(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One role answers, another has no server yet."""
    monkeypatch.setattr("consumers.demo.readings._SCRAPE_SECONDS", 0.01)
    scraper = Scraper("127.0.0.1", {"ingest": server.port, "trainer": 1})
    while not scraper.figures.answering:
        pass
    scraper.close()
    assert scraper.figures.answering == {"ingest"}
    assert "publisher, trainer" in status(scraper.figures)


def sequence(user: str, items: list[str]) -> Outgoing:
    record = SequenceRecord(
        user_id=user,
        items=items,
        times=[1.0] * len(items),
        events=["click"] * len(items),
        source_partition=0,
        source_offset=1,
        next_offset=2,
        last_click_at=1.0,
        accepted_at=1.0,
    )
    return Outgoing(key=user.encode(), value=record.encode())


def listing(user: str, items: list[str]) -> Outgoing:
    record = Recommendation(
        user_id=user,
        items=[ScoredItem(item, 1.0) for item in items],
        model_version=1,
        generated_at=2.0,
        reason="click",
        source_offset=1,
    )
    return Outgoing(key=user.encode(), value=record.encode())


@pytest.fixture
def log(clock: ManualClock) -> MemoryLog:
    log = MemoryLog(clock)
    for spec in GsrConfig().log.topics():
        log.create_topic(spec)
    return log


def shown(window: ShopperWindow) -> tuple[str, list[str], str] | None:
    """Return the user, what they clicked, and the first item that they get."""
    shopper = window.shopper
    if shopper is None:
        return None
    made = shopper.recommendation
    return made.user_id, shopper.sequence.items, made.items[0].item_id


def test_a_shopper_is_shown_for_a_while(log: MemoryLog, clock: ManualClock) -> None:
    """The newest list with its clicks; another one only after some seconds."""
    log.writer("recommendations").append([listing("old", ["before"])])
    window = ShopperWindow(GsrConfig(), log, clock)
    window.look()
    assert shown(window) is None
    log.writer("sequences").append([sequence("ann", ["tea"]), sequence("bob", ["jam"])])
    log.writer("recommendations").append([listing("ann", ["cup"])])
    window.look()
    assert shown(window) == ("ann", ["tea"], "cup")
    log.writer("recommendations").append([listing("bob", ["bread"])])
    window.look()
    assert shown(window) == ("ann", ["tea"], "cup")
    clock.sleep(10.0)
    log.writer("recommendations").append([listing("bob", ["bread"])])
    window.look()
    assert shown(window) == ("bob", ["jam"], "bread")
    window.close()
