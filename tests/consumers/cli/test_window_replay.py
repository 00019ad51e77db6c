"""`gsr replay --protocol`: sessions window by window, from the command line."""

import json
from pathlib import Path

import pytest

from consumers.offline.windows.run import WindowRun
from tests.consumers.command_line import gsr
from tests.consumers.offline.windows.tables import random_rows, write_table

SMALL = ("--set", "model.dimension=8", "--baselines", "counters")


@pytest.fixture(autouse=True)
def _log() -> None:
    write_table(Path("t.csv"), random_rows(0, sessions=110))


def test_a_published_protocol_is_shown_beside_its_rows() -> None:
    """Printed, in the report and in metrics.json; each mode has a table and a curve."""
    result = gsr("replay", "t.csv", "--out", "r", "--protocol", "news-by-the-hour", *SMALL)
    assert result.exit_code == 0, result.stderr
    assert "frozen" in result.stdout
    assert "V-SkNN (published)" in result.stdout
    assert "chosen" not in result.stdout
    assert "favours the baselines" in result.stderr
    found = json.loads(Path("r/metrics.json").read_text())
    assert found["protocol"] == "news-by-the-hour"
    assert found["options"]["session_clicks"] == 20
    assert found["options"]["repeats"] == "include"
    assert list(found["shown"]["frozen"]) == ["graph", "joint", "mix", "popularity"]
    assert found["published"]["STAN"]["hr@20"] == 0.6681
    report = Path("r/report.html").read_text()
    assert "V-SkNN (published)" in report
    assert "id='windows-frozen'" in report


def test_windows_are_what_the_command_says() -> None:
    """Columns, lengths, cases and modes; the whole result as JSON."""
    options = ["--window-hours", "2", "--tested", "each", "--mode", "both", "--limit", "900"]
    columns = ["--column", "session=session_id", "--repeats", "exclude", "--seed", "3"]
    result = gsr(
        "replay",
        "t.csv",
        "--out",
        "r",
        "--protocol",
        "windows",
        *options,
        *columns,
        *SMALL,
        "--json",
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["counts"]["clicks"] == 900
    asked = {
        "session": "session_id",
        "user": None,
        "window": None,
        "window_seconds": 7200.0,
        "tested": "each",
        "modes": ["frozen", "live"],
        "repeats": "exclude",
        "seed": 3,
        "baselines": ["counters"],
    }
    assert {name: found["options"][name] for name in asked} == asked
    assert found["published"] == {}
    assert set(found["shown"]) == {"frozen", "live"}


def test_a_session_may_take_the_users_place_click_by_click() -> None:
    """Histories are those of sessions: as many users are known as there are sessions."""
    result = gsr(
        *("replay", "t.csv", "--out", "r", "--column", "session=session_id", "--json", *SMALL)
    )
    assert result.exit_code == 0, result.stderr
    lists = json.loads(result.stdout)["options"]
    assert lists["warmup"] == 0.1
    named = gsr("replay", "t.csv", "--out", "s", "--column", "user=session_id", "--json", *SMALL)
    assert json.loads(named.stdout)["overall"] == json.loads(result.stdout)["overall"]


def test_a_second_report_in_a_folder_is_announced() -> None:
    """Before it replaces the first one, while there is time to stop."""
    columns = ("--column", "session=session_id", "--limit", "300")
    told = "holds the report of an earlier replay"
    first = gsr("replay", "t.csv", "--out", "r", *columns, *SMALL)
    assert first.exit_code == 0, first.stderr
    assert told not in first.stderr
    assert told in gsr("replay", "t.csv", "--out", "r", *columns, *SMALL).stderr
    windows = gsr("replay", "t.csv", "--out", "r", "--protocol", "windows", *columns, *SMALL)
    assert told in windows.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("--protocol windows --compare x.toml", 2, "--compare: only with --protocol prequential"),
        ("--protocol windows --warmup 0.2 --resume", 2, "--warmup, --resume"),
        ("--protocol ader --window-hours 3", 2, "ader sets it"),
        ("--protocol windows --column event=kind", 2, "no column for event"),
        ("--protocol windows --column session=nosuch", 2, "no column nosuch among window, "),
        ("--protocol windows --window-hours 10000", 2, "are learned only"),
        ("--protocol windows --column session=timestamp", 2, "nothing can be tested"),
        ("--protocol windows --baselines all", 2, "frozen: no baseline of windows"),
        ("--protocol windows --baselines warmup", 2, "no warm-up"),
        ("--protocol ader --column window=window --mode live", 2, "live needs the column of times"),
        ("--mode live", 2, "--mode: there are no windows"),
        ("--column window=window", 2, "--column window=: there are no windows"),
        ("--protocol hourly", 2, "news-by-the-hour"),
    ],
)
def test_what_makes_no_sense_is_refused(options: str, code: int, words: str) -> None:
    """With what to do, and nothing is written."""
    result = gsr("replay", "t.csv", "--out", "r", *options.split())
    assert result.exit_code == code
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not Path("r").exists()


def test_an_interrupted_run_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither results nor parts of them."""

    def interrupted(_run: WindowRun, window: int) -> None:
        if window == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(WindowRun, "turn", interrupted)
    result = gsr("replay", "t.csv", "--out", "r", "--protocol", "windows")
    assert result.exit_code == 130
    assert not Path("r").exists()


def test_windows_are_read_from_one_file() -> None:
    """That is there; no log, and no parts."""
    common = ("--out", "r", "--protocol", "windows")
    for events in (["t.csv", "t.csv"], ["embedded:log"]):
        result = gsr("replay", *events, *common)
        assert result.exit_code == 2
        assert "windows are read from one file" in " ".join(result.stderr.split())
    result = gsr("replay", "nowhere.csv", *common)
    assert result.exit_code == 10
    assert "nowhere.csv: there is no such file" in result.stderr
