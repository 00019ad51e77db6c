"""Replay: measured as promised, the same for the same seed, never half-written."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from consumers.errors import ConfigError
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.rivals import BaselineSelection
from consumers.offline.replay.run import replay
from consumers.runtime.progress import Progress
from gsr.quality.ranking_metrics import ITEM_SLICES, METRICS, USER_SLICES
from stream.clock import ManualClock
from stream.errors import EventFileError, StorageFullError
from tests.consumers.offline.replay.small_replays import CONFIG, run, shoppers, write_events
from tests.consumers.trainer_world import SMALL_LEARNER


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of one replay of 1,500 clicks."""
    directory = tmp_path_factory.mktemp("replay")
    run(write_events(directory / "clicks.csv.gz", shoppers(1500)), directory / "out")
    return directory / "out"


def test_metrics_have_every_promised_key(results: Path) -> None:
    """Overall, windows and slices hold every metric of every model; costs are there."""
    document = json.loads((results / "metrics.json").read_text())
    users, items = document["slices"]["users"], document["slices"]["items"]
    for block in (document["overall"], *document["windows"], *users.values(), *items.values()):
        assert block.keys() - {"start", "end"} == {"scored", *document["models"]}
        for model in document["models"]:
            assert set(block[model]) == set(METRICS)
            assert all(0.0 <= value <= 1.0 for value in block[model].values())
    assert (users.keys(), items.keys()) == (USER_SLICES.keys(), ITEM_SLICES.keys())
    counters, knn = {"popularity", "graph", "mix"}, {"vsknn", "vstan", "vstan-after"}
    assert set(document["models"]) == {"joint", *counters, *knn, "rules", "item-knn", "ranker"}
    assert set(document["models"]) - {"joint"} <= document["baselines"].keys()
    cost = document["cost"]
    assert {"seconds", "cpu_seconds", "peak_memory_bytes", "clicks", "scored"} <= set(cost)
    assert cost["clicks"] == 1500
    assert sum(window["scored"] for window in document["windows"]) == cost["scored"] > 0
    assert document["overall"]["scored"] == cost["scored"]
    assert document["overall"]["graph"]["hr@20"] > 0.5


def test_only_cost_differs_between_runs_of_one_seed(tmp_path: Path) -> None:
    """The same seed gives the same file but for what it cost; another one does not."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    documents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(events, tmp_path / name, seed=seed)
        document = json.loads((tmp_path / name / "metrics.json").read_text())
        del document["cost"]
        del document["options"]["seed"]
        documents.append(document)
    assert documents[0] == documents[1]
    assert documents[0]["overall"]["joint"] != documents[2]["overall"]["joint"]
    assert documents[0]["overall"]["graph"] == documents[2]["overall"]["graph"]
    first, second = (tmp_path / n / "recommendations.jsonl.zst" for n in "ab")
    assert first.read_bytes() == second.read_bytes()


def lists_in(path: Path) -> list[dict[str, Any]]:
    text = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).readall().decode()
    return [json.loads(line) for line in text.splitlines()]


def test_lists_are_records_without_seen_items(results: Path) -> None:
    """Every user gets a list that the topic's contract would accept."""
    lists = lists_in(results / "recommendations.jsonl.zst")
    assert {record["user_id"] for record in lists} == {f"u{n}" for n in range(40)}
    clicked: dict[str, list[str]] = {}
    for user, item, _ in shoppers(1500):
        clicked.setdefault(user, []).append(item)
    for record in lists:
        items = [entry["item_id"] for entry in record["items"]]
        assert items
        assert not set(items) & set(clicked[record["user_id"]])
        assert record["model_version"] > 0


def test_all_lists_are_one_per_user_and_cycle(tmp_path: Path) -> None:
    """With `all`, whoever clicked in a cycle gets a list at its end."""
    events = write_events(tmp_path / "clicks.csv", shoppers(400))
    run(events, tmp_path / "out", recommendations="all")
    lists = lists_in(tmp_path / "out" / "recommendations.jsonl.zst")
    cycles = [{user for user, _, _ in shoppers(400)[a : a + 200]} for a in (0, 200)]
    assert len(lists) == sum(map(len, cycles))


def test_no_lists_when_none_are_wanted(tmp_path: Path) -> None:
    """Nothing is written that was not asked for."""
    events = write_events(tmp_path / "clicks.csv", shoppers(300))
    run(events, tmp_path / "out", recommendations="none")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        *("cases.parquet", "metrics.json", "report.html")
    ]


def test_scoring_begins_after_the_warm_up(tmp_path: Path) -> None:
    """The warm-up is learned but not scored; who scores what is the issue's rule."""
    rows = shoppers(600)
    events = write_events(tmp_path / "clicks.csv", rows)
    document = run(events, tmp_path / "out", warmup=0.5)
    buffers: dict[str, list[str]] = {}
    expected = 0
    for number, (user, item, _) in enumerate(rows):
        buffer = buffers.setdefault(user, [])
        expected += number >= 300 and bool(buffer) and item not in buffer[-64:]
        buffer.append(item)
    assert document["cost"]["scored"] == expected
    assert document["baselines"]["warmup_scored"] > 0


def test_repeats_can_be_scored(tmp_path: Path) -> None:
    """With `include`, every click with an earlier one counts."""
    rows = [(f"u{n % 3}", f"i{(n // 7) % 4}", 1e9 + n) for n in range(120)]
    events = write_events(tmp_path / "clicks.csv", rows)
    included = run(events, tmp_path / "in", repeats="include", warmup=0.0)
    excluded = run(events, tmp_path / "ex", repeats="exclude", warmup=0.0)
    assert included["cost"]["scored"] == 117
    assert excluded["cost"]["scored"] == 9


def test_unsorted_files_are_replayed_by_time(tmp_path: Path) -> None:
    """The order of the rows does not matter where times differ."""
    rows = shoppers(500)
    ordered = run(write_events(tmp_path / "a.csv", rows), tmp_path / "a")
    reverse = run(write_events(tmp_path / "b.csv", rows[::-1]), tmp_path / "b")
    assert ordered["overall"] == reverse["overall"]


def test_one_click_is_replayed(tmp_path: Path) -> None:
    """A stream too short to score gives zeros and a report that says so."""
    document = run(write_events(tmp_path / "clicks.csv", [("u", "i", 1.0)]), tmp_path / "out")
    assert document["cost"]["scored"] == 0
    assert document["overall"]["joint"]["hr@20"] == 0.0
    assert (document["windows"], document["differences"]["overall"]) == ([], [])
    assert "No click was scored" in (tmp_path / "out" / "report.html").read_text()


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """There is nothing to learn from, and nothing is written."""
    with pytest.raises(EventFileError, match="no events"):
        run(write_events(tmp_path / "clicks.csv", []), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong", [{"warmup": 1.0}, {"limit": 0}, {"cycle_clicks": 0}, {"columns": {"users": "u"}}]
)
def test_senseless_options_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """The message names the option."""
    events = write_events(tmp_path / "clicks.csv", shoppers(10))
    with pytest.raises(ConfigError, match=next(iter(wrong)).rstrip("s")):
        run(events, tmp_path / "out", **wrong)


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    """Ctrl-C in the middle: no result, and no scraps that look like one."""
    events = write_events(tmp_path / "clicks.csv", shoppers(800))

    def interrupt(progress: Progress) -> None:
        if progress.done >= 400:
            raise KeyboardInterrupt

    options = ReplayOptions(events=events, out=tmp_path / "out", config=CONFIG, cycle_clicks=200)
    with pytest.raises(KeyboardInterrupt):
        replay(options, interrupt)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["recommendations.jsonl.zst", "report.html", "metrics.json"])
def test_a_disk_that_fills_up_is_named_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    """Whichever file meets it: one plain error, and no scraps that look like a result."""
    events, out = write_events(tmp_path / "clicks.csv", shoppers(300)), tmp_path / "out"
    out.mkdir()
    (out / f".{name}.partial").symlink_to("/dev/full")
    with pytest.raises(StorageFullError, match=f"no space left in {out}"):
        run(events, out)
    assert not (out / "metrics.json").exists()
    assert not list(out.glob(".*"))


def test_what_a_topic_took_is_not_judged_again(tmp_path: Path) -> None:
    """A broker's clock may be ahead of this machine's; a file's rows may not."""
    events = write_events(tmp_path / "clicks.csv", shoppers(10))
    options = ReplayOptions(events=events, out=tmp_path / "out", config=CONFIG, judged=True)
    assert replay(options, clock=ManualClock(1e6))["totals"]["clicks"] == 10
    with pytest.raises(EventFileError, match=r"line 2: .*machine's clock"):
        replay(replace(options, judged=False), clock=ManualClock(1e6))


def test_a_place_for_results_that_takes_none_is_named_first(tmp_path: Path) -> None:
    """Before the file is even looked at."""
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageFullError, match=f"{tmp_path / 'out'} cannot be written"):
        run(tmp_path / "nowhere.csv", tmp_path / "out")


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    """Somebody who watches sees how many events there are and how many are done."""
    events = write_events(tmp_path / "clicks.csv", shoppers(500))
    seen: list[Progress] = []
    replay(
        ReplayOptions(events=events, out=tmp_path / "out", config=CONFIG, cycle_clicks=200),
        seen.append,
    )
    assert [p.done for p in seen if p.stage != "making lists"][-1] == 500
    assert {p.total for p in seen[1:]} == {500}


def test_a_limit_replays_the_first_events_only(tmp_path: Path) -> None:
    """The rest of the file is not looked at."""
    events = write_events(tmp_path / "clicks.csv", shoppers(500))
    assert run(events, tmp_path / "out", limit=123)["totals"]["clicks"] == 123


def test_the_report_needs_nothing_else(results: Path) -> None:
    """One file, without any address to load from, with every plot's data inside."""
    page = (results / "report.html").read_text()
    shell = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "http" not in shell
    assert "src=" not in shell
    assert "name='viewport'" in shell
    data = re.search(r"id='plots'>(.*?)</script>", page, flags=re.DOTALL)
    assert data is not None
    for plot in json.loads(data.group(1)):
        assert f"id='{plot['id']}'" in page


@pytest.mark.slow
def test_the_report_opens_in_a_browser(results: Path, program: Callable[[str], str]) -> None:
    """Chromium draws every plot without a network."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next(filter(None, map(shutil.which, names)), None) or program("chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    page = subprocess.run(
        [browser, *flags, "--dump-dom", (results / "report.html").as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
        env=os.environ | {"http_proxy": "http://127.0.0.1:9"},
    ).stdout.decode()
    assert page.count("main-svg") >= 6


@pytest.mark.data
@pytest.mark.slow
def test_baselines_are_as_strong_as_measured_elsewhere(
    click_log: Callable[[str], Path], tmp_path: Path
) -> None:
    """On real clicks baselines reach what was measured before: graph .229, ranker .32."""
    document = run(
        click_log("ml-100k"),
        tmp_path / "out",
        cycle_clicks=2000,
        recommendations="none",
        baselines=BaselineSelection(("counters", "ranker")),
    )
    assert document["overall"]["popularity"]["hr@20"] >= 0.102
    assert document["overall"]["popularity"]["mrr@20"] >= 0.024
    assert document["overall"]["graph"]["hr@20"] >= 0.229
    assert document["overall"]["graph"]["mrr@20"] >= 0.061
    assert document["overall"]["ranker"]["hr@20"] >= 0.315
    assert document["overall"]["ranker"]["mrr@20"] >= 0.084


def test_configurations_are_compared_on_one_reading(tmp_path: Path) -> None:
    """Each learns as if it were alone, and is measured on the same clicks as the joint model."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    other = CONFIG.with_values({"learner": {**SMALL_LEARNER, "seed": 5}})
    both = run(events, tmp_path / "both", compare={"five": other, "same": CONFIG})
    alone = run(events, tmp_path / "alone", seed=5)
    assert both["overall"]["joint:same"] == both["overall"]["joint"]
    assert both["overall"]["joint:five"] == alone["overall"]["joint"] != both["overall"]["joint"]
    assert [w["joint:five"] for w in both["windows"]] == [w["joint"] for w in alone["windows"]]
    assert both["cost"]["models_seconds"].keys() == {
        *("joint", "counters", "session-knn", "item-to-item", "ranker"),
        *("joint:five", "joint:same"),
    }


def test_other_clicks_cannot_be_compared(tmp_path: Path) -> None:
    """Shorter buffers hide fewer repeats: ranks of other clicks are not put side by side."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    short = CONFIG.with_values({"state": {"buffer_length": 8}})
    with pytest.raises(ConfigError, match="'short' scored other clicks"):
        run(events, tmp_path / "out", compare={"short": short})


def test_the_frozen_model_stands_still_after_the_warm_up(tmp_path: Path) -> None:
    """Its counters go on, its weights do not."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    found = run(
        events, tmp_path / "out", warmup=0.4, baselines=BaselineSelection(("counters", "frozen"))
    )
    overall = found["overall"]
    assert overall["joint:frozen"] != overall["joint"]
    assert overall["joint:frozen"]["hr@20"] > 0.2
