"""The demo reads the roles' metrics and the topics, and says it in plain words."""

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
from consumers.demo.screen import LivePanel, PlainLines, hit_rates, status
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


def test_plain_lines_come_every_few_seconds(
    log: MemoryLog, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first within a second or two, whatever there is to tell."""
    screen = PlainLines(clock)
    screen.show(Figures(), None)
    assert capsys.readouterr().out == ""
    clock.sleep(2.0)
    screen.show(Figures(), None)
    assert "starting: waiting for ingest, publisher, trainer" in capsys.readouterr().out
    window = ShopperWindow(GsrConfig(), log, clock)
    log.writer("sequences").append([sequence("ann", ["tea"])])
    log.writer("recommendations").append([listing("ann", ["cup"])])
    window.look()
    clock.sleep(5.0)
    rates = {"joint": 0.3, "graph": 0.2, "popularity": 0.1}
    figures = Figures(
        answering=ALL,
        clicks=1200,
        lists=800,
        scored=2000,
        version=2,
        hit_rate=rates,
        delay_median=0.1,
    )
    screen.show(figures, window.shopper)
    line = capsys.readouterr().out
    for words in ("1,200 clicks in", "800 lists out", "model 2", "30.0%", "ann now gets cup"):
        assert words in line
    window.close()


def test_the_panel_shows_the_same_words(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawn once without a terminal, it is plain text."""
    panel = LivePanel(clock)
    for version in (1, 2, 3):
        clock.sleep(1.0)
        rates = {"joint": 0.1 * version, "graph": 0.2, "popularity": 0.1}
        panel.show(
            Figures(
                answering=ALL, clicks=100, lists=50, scored=2000, version=version, hit_rate=rates
            ),
            None,
        )
    panel.message("trainer: [not markup]")
    panel.close()
    shown = capsys.readouterr().out
    for words in ("gsr demo", "version 3", "30.0%", "trainer: [not markup]"):
        assert words in shown


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (Figures(answering=ALL), "first clicks are on their way"),
        (Figures(answering=ALL, clicks=1), "lists follow"),
        (Figures(answering=ALL, clicks=1, lists=1), "first model is being learned"),
        (Figures(answering=ALL, clicks=1, lists=1, version=1), "first a test"),
    ],
)
def test_the_status_says_what_comes_next(figures: Figures, words: str) -> None:
    """Nobody looks at an empty screen without knowing why."""
    assert words in status(figures)
    assert hit_rates(figures) == "after 2,000 tested clicks (0 so far)"


@pytest.mark.parametrize(
    ("joint", "words"), [(0.3, "is ahead of it so far"), (0.5, "then learned")]
)
def test_hit_rates_are_shown_beside_the_baselines_once_they_mean_something(
    joint: float, words: str, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not a word of them before; where a baseline is ahead, it is said."""
    screen = PlainLines(clock)
    rates = {"joint": joint, "graph": 0.4, "popularity": 0.1}
    for scored in (1999, 2000):
        clock.sleep(6.0)
        figures = Figures(
            answering=ALL, clicks=9, lists=9, version=1, scored=scored, hit_rate=rates
        )
        screen.show(figures, None)
    before, after = capsys.readouterr().out.splitlines()
    assert "item graph" not in before
    assert f"model {joint:.1%}, item graph alone 40.0%, popularity alone 10.0%" in after
    assert status(figures).endswith(words)
