"""The demo's screen: a panel on a terminal, else lines."""

import pytest

from consumers.demo.readings import Shopper
from consumers.demo.screen import LivePanel, PlainLines, hit_rates, status
from consumers.runtime.role_figures import Figures
from stream.clock import ManualClock
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord

ALL = frozenset({"ingest", "trainer", "publisher"})
ANN = Shopper(
    SequenceRecord(
        user_id="ann",
        items=["tea"],
        times=[1.0],
        events=["click"],
        source_partition=0,
        source_offset=1,
        next_offset=2,
        last_click_at=1.0,
        accepted_at=1.0,
    ),
    Recommendation(
        user_id="ann",
        items=[ScoredItem("cup", 1.0)],
        model_version=1,
        generated_at=2.0,
        reason="click",
        source_offset=1,
    ),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


def test_plain_lines_come_every_few_seconds(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first within a second or two, whatever there is to tell."""
    screen = PlainLines(clock)
    screen.show(Figures(), None)
    assert capsys.readouterr().out == ""
    clock.sleep(2.0)
    screen.show(Figures(), None)
    assert "starting: waiting for ingest, publisher, trainer" in capsys.readouterr().out
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
    screen.show(figures, ANN)
    line = capsys.readouterr().out
    for words in ("1,200 clicks in", "800 lists out", "model 2", "30.0%", "ann now gets cup"):
        assert words in line


def test_items_are_called_by_their_titles(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their ids, which other commands take."""
    clock.sleep(2.0)
    shopper = Shopper(ANN.sequence, ANN.recommendation, {"cup": "Blue cup\x1b"})
    PlainLines(clock).show(Figures(), None)
    screen, panel = PlainLines(clock), LivePanel(clock)
    clock.sleep(2.0)
    screen.show(Figures(answering=ALL, clicks=1), shopper)
    panel.show(Figures(answering=ALL, clicks=1), shopper)
    panel.close()
    shown = capsys.readouterr().out
    assert "ann now gets Blue cup\\x1b (cup)" in shown
    assert "ann clicked tea" in shown
    assert "\x1b (cup)" not in shown


def test_the_panel_shows_the_same_words(
    clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawn once without a terminal, it is plain text."""
    panel = LivePanel(clock, "http://127.0.0.1:9300/")
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
    assert "http://127.0.0.1:9300/ shows more" in shown
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
