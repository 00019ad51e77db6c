"""Ids and names that would move the cursor are shown, not obeyed, by every command."""

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from consumers.artifacts.store import open_artifacts
from consumers.cli.application import app
from consumers.config.settings import GsrConfig
from consumers.demo.readings import Shopper
from consumers.demo.screen import PlainLines
from consumers.runtime.role_figures import Figures
from stream.clock import ManualClock, SystemClock
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord
from stream.log.interface import Outgoing, RecordBatch
from stream.log.opening import open_log
from stream.log.partitioner import partition_of
from stream.state.store import PartitionStore
from tests.consumers.titles import store_titles

USER = "ann\x1b]0;owned\x07\u202e"
ITEM = "tea\x1b[2J\r\nerror: all is lost\x9b"


def gsr(*arguments: str) -> Result:
    """Run a command, and find nothing in what it printed that does something."""
    result = CliRunner().invoke(app, arguments, prog_name="gsr")
    assert all(character.isprintable() or character == "\n" for character in result.output)
    assert not any(line.startswith("error: all") for line in result.output.splitlines())
    return result


def publish_state(partition: int) -> None:
    """Publish a checkpoint in which the user clicked the item twice, and another one between."""
    config = GsrConfig()
    rules = config.events.rules()
    store = PartitionStore.open(Path("own"), 1, config.state.shape(), rules, SystemClock())
    decoded = ClickCodec(rules).decode(
        RecordBatch(
            topic="clicks",
            partition=partition,
            offsets=np.arange(3),
            append_times=np.full(3, time.time()),
            keys=[USER.encode()] * 3,
            values=[
                encode_click(USER, item, 100.0 + at) for at, item in enumerate((ITEM, "jam", ITEM))
            ],
        ),
        -math.inf,
    )
    store.apply(decoded.clicks, decoded.watermark, 3)
    open_artifacts(config, SystemClock()).publish_checkpoint(partition, 3, store.checkpoint)
    store.close()


@pytest.mark.usefixtures("topics")
def test_titles_are_shown_harmlessly() -> None:
    """Those of a file that another program has written, too."""
    publish_state(partition_of(USER.encode(), GsrConfig().log.partitions))
    store_titles(GsrConfig(), {"jam": ITEM, ITEM: "Green tea"})
    assert "tea\\x1b[2J\\r\\nerror: all is lost\\x9b (jam) was last" in gsr("item", "jam").stderr
    assert "then Green tea (tea\\x1b[2J" in gsr("item", "jam").stdout
    shown = gsr("user", USER).stdout
    assert "Green tea (tea\\x1b[2J" in shown
    assert "(jam)" in shown
    assert json.loads(gsr("item", "jam", "--json").stdout)["title"] == ITEM


@pytest.mark.usefixtures("topics")
def test_users_and_items_are_shown_harmlessly() -> None:
    """Clicks, neighbours, and what is said of ids that are not known; JSON holds them exactly."""
    publish_state(partition_of(USER.encode(), GsrConfig().log.partitions))
    shown = gsr("user", USER)
    assert shown.exit_code == 0, shown.output
    assert "tea\\x1b[2J\\r\\nerror" in shown.stdout
    assert json.loads(gsr("user", USER, "--json").stdout)["clicks"][0]["item_id"] == ITEM
    assert "then tea\\x1b[2J" in gsr("item", "jam").stdout
    assert gsr("item", f"{ITEM}?").exit_code == 9
    assert gsr("user", f"{USER}?").exit_code == 9
    assert gsr("items", "block", ITEM).exit_code == 0
    assert gsr("forget", USER, "--yes").exit_code == 0


@pytest.mark.usefixtures("topics")
def test_lists_are_shown_harmlessly(monkeypatch: pytest.MonkeyPatch) -> None:
    """For people and as JSON."""
    answer: dict[str, Any] = {
        "user_id": USER,
        "model_version": 1,
        "view_age_seconds": 0.0,
        "clicks": 2,
        "items": [
            {
                "item_id": ITEM,
                "title": f"Tea\u202e {ITEM}",
                "score": 1.0,
                "words": f"because you clicked {ITEM}",
                "parts": {"neural": 1.0},
            }
        ],
    }
    monkeypatch.setattr("consumers.inspect.users.current_list", lambda *_: answer)
    assert "because you clicked tea\\x1b[2J" in gsr("recommend", USER).stdout
    assert "tea\\x1b[2J" in gsr("recommend", USER, "--parts").stdout
    assert json.loads(gsr("recommend", USER, "--json").stdout) == answer


def test_models_and_state_are_shown_harmlessly() -> None:
    """Manifests hold whatever was published with them."""
    store = open_artifacts(GsrConfig(), SystemClock())
    store.publish_snapshot(b"one", {"note": ITEM, "restored_from": USER})
    assert "ann\\x1b]0;" in gsr("models", "list").stdout
    assert json.loads(gsr("models", "show", "1").stdout)["note"] == ITEM


@pytest.mark.usefixtures("topics")
def test_dead_letters_are_shown_harmlessly() -> None:
    """Keys, values, details and the names of others' headers."""
    log = open_log("embedded:run/log", SystemClock())
    headers = [
        *(("gsr.error.reason", b"future"), ("gsr.error.topic", ITEM.encode())),
        *(("gsr.error.partition", b"0"), ("gsr.error.offset", b"1"), ("gsr.error.time", b"1.0")),
        *(("gsr.error.detail", ITEM.encode()), (f"x{ITEM}", b"\x1b[2J")),
    ]
    writer = log.writer("clicks.dlq")
    writer.append([Outgoing(key=USER.encode(), value=ITEM.encode(), headers=tuple(headers))])
    writer.close()
    log.close()
    shown = gsr("dlq", "show")
    assert shown.exit_code == 0
    assert "ann\\x1b]0;" in shown.stdout
    assert gsr("dlq", "show", "--json").exit_code == 0


@pytest.mark.parametrize("name", [f"{ITEM}.csv", "\u202evsc.txt"])
def test_names_of_files_are_shown_harmlessly(name: str) -> None:
    """Where a file is missing, as an argument and as a setting."""
    assert gsr("produce", name).exit_code == 10
    assert gsr("ingest", "--config", name).exit_code == 2
    assert gsr("ingest", "--set", f"log.url=embedded:x{name}", "--set", "no.such=1").exit_code == 2


def test_the_demo_shows_harmless_shoppers(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an event file that somebody else has written."""
    record = SequenceRecord(
        user_id=USER,
        items=[ITEM],
        times=[0.0],
        events=["click"],
        source_partition=0,
        source_offset=0,
        next_offset=1,
        last_click_at=0.0,
        accepted_at=0.0,
    )
    sent = Recommendation(
        user_id=USER,
        items=[ScoredItem(ITEM, 1.0)],
        model_version=1,
        generated_at=0.0,
        reason="click",
    )
    clock = ManualClock()
    screen = PlainLines(clock)
    clock.sleep(60.0)
    screen.show(Figures(), Shopper(record, sent))
    screen.message(ITEM)
    out, err = capsys.readouterr()
    assert "now gets tea\\x1b[2J" in out
    assert (out.rstrip("\n") + err.rstrip("\n")).isprintable()
