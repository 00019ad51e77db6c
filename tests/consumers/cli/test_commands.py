"""The `gsr` command as a new user meets it, wrong input included."""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from consumers.artifacts.store import open_artifacts
from consumers.cli.application import app
from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing, RecordBatch
from stream.log.opening import open_log
from stream.state.dump import dump
from stream.state.store import PartitionStore

CLICKS = "user_id,item_id,timestamp\nann,tea,100\nbob,jam,101\nann,jam,102\n"


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GSR_CONFIG", raising=False)


def gsr(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=answer, prog_name="gsr")


@pytest.fixture
def topics() -> None:
    """Make the topics, as ingest does."""
    log = open_log("embedded:run/log", SystemClock())
    for spec in GsrConfig().log.topics():
        log.create_topic(spec)
    log.close()


def values(topic: str) -> list[tuple[bytes | None, bytes | None]]:
    log = open_log("embedded:run/log", SystemClock())
    reader = log.reader(topic)
    found = []
    while batches := reader.poll(1000, 0.0):
        for batch in batches:
            found += list(zip(batch.keys, batch.values, strict=True))
    reader.close()
    log.close()
    return found


def test_the_command_alone_shows_help() -> None:
    """Nothing given: the overview, and the code of wrong usage."""
    result = gsr()
    assert result.exit_code == 2
    assert "gsr run --demo" in result.output


def test_the_version_is_shown() -> None:
    """--version, on standard output."""
    result = gsr("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("gsr ")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["prodce"], 2, "Did you mean 'produce'?"),
        (["simulate", "--sede", "1"], 2, "--seed"),
        (["produce"], 2, "Missing argument 'EVENTS'"),
        (["produce", "nope.csv"], 10, "nope.csv"),
        (["produce", "c.csv", "--column", "user"], 2, "ROLE=NAME"),
        (["produce", "c.csv", "--column", "usr=x"], 2, "ROLE is one of user, item"),
        (["produce", "c.csv", "--column", "user=visitor"], 10, "visitor"),
        (["produce", "c.csv", "--log", "carrier:pigeon"], 6, "embedded:DIR"),
        (["produce", "c.csv", "--rate", "0"], 2, "--rate"),
        (["simulate", "--rate", "3"], 2, "need --log"),
        (["simulate", "--items", "0", "--events", "1"], 2, "'--items'"),
        (["simulate", "--users", "20000000"], 2, "'--users'"),
        (["simulate", "--new-items", "1e7"], 2, "'--new-items'"),
        (["simulate", "--drift-seconds", "0.5"], 2, "--drift-seconds"),
        (["simulate", "--rate", "1e10", "--restamp", "--log", "memory:"], 2, "--rate"),
        (["item", "tea", "--set", "state.half_lives_seconds=[0.5]"], 2, "one second or longer"),
        (["item", "tea", "--set", "state.neighbours=2"], 2, "half_lives_seconds must name"),
        (["run", "--events", "c.csv"], 2, "--demo"),
        (["run", "--set", "trainer.cycle_seconds"], 2, "section.key=VALUE"),
        (["ingest", "--set", "trainer.cycle_second=3"], 2, "did you mean trainer.cycle_seconds?"),
        (["ingest", "--config", "nope.toml"], 2, "nope.toml"),
        (["models", "show", "7"], 9, "no version 7"),
        (["models", "show", "0"], 2, "VERSION"),
        (["models", "rollback", "7", "--yes"], 9, "no version 7"),
        (["state", "check"], 9, "no state"),
        (["state", "restore"], 9, "no checkpoint of any partition"),
        (["user", "ann"], 6, "there is no log of gsr in embedded:run/log"),
        (["user", "ann", "--log", "embedded:typo"], 6, "embedded:typo"),
        (["user", ""], 2, "user is empty"),
        (["item", "x" * 300], 2, "256"),
        (["item", "tea"], 9, "no checkpoints in run/state/artifacts yet"),
        (["recommend", "ann"], 6, "--log"),
        (["dlq", "show"], 6, "there is no log"),
        (["dlq", "redrive", "--dry-run"], 6, "there is no log"),
        (["log", "topics"], 6, "gsr run and gsr ingest"),
        (["log", "retain", "--dry-run"], 6, "there is no log"),
        (["log", "clean"], 6, "there is no log"),
        (["items", "block", "tea"], 6, "there is no log"),
        (["items", "allow", "tea"], 6, "there is no log"),
        (["forget", "ann", "--yes"], 6, "there is no log"),
        (["replay", "embedded:typo", "--out", "out"], 9, "there is no topic clicks"),
        (["forget", "ann"], 2, "give --yes"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_wrong_input_is_answered_in_one_line(arguments: list[str], code: int, words: str) -> None:
    """No traceback; the exit code tells the kind; nothing on standard output."""
    Path("c.csv").write_text(CLICKS)
    result = gsr(*arguments)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert [path.name for path in Path().iterdir()] == ["c.csv"]  # and nothing was made


def test_who_looks_or_steers_makes_no_topic() -> None:
    """What is missing of a log is named; what feeds it makes topics, and says so."""
    log = open_log("embedded:run/log", SystemClock())
    log.create_topic(GsrConfig().log.topics()[0])
    log.close()
    there = {path.name for path in Path("run/log").iterdir()}
    for arguments in (["dlq", "show"], ["items", "block", "tea"], ["recommend", "ann"]):
        result = gsr(*arguments)
        assert result.exit_code == 6
        assert "there is no topic" in result.stderr
    shown = gsr("log", "topics")
    assert shown.exit_code == 0
    assert "not there: clicks.dlq" in shown.stderr
    assert gsr("log", "clean").exit_code == 0
    assert gsr("forget", "ann", "--yes").exit_code == 0
    assert {path.name for path in Path("run/log").glob("*.db")} == {"clicks.db"} <= there
    fed = gsr("simulate", "--log", "embedded:run/log", "--events", "5")
    assert "made the topics clicks.dlq, sequences" in fed.stderr


def test_produce_puts_a_file_on_the_topic() -> None:
    """Key, value and order are those of the file."""
    Path("c.csv").write_text(CLICKS)
    result = gsr("produce", "c.csv", "--set", "log.partitions=1")
    assert result.exit_code == 0
    assert "sent 3 events to clicks" in result.stderr
    assert [(key, json.loads(value or b"")["item_id"]) for key, value in values("clicks")] == [
        (b"ann", "tea"),
        (b"bob", "jam"),
        (b"ann", "jam"),
    ]


def test_produce_maps_columns_skips_bad_rows_and_stops_at_a_limit() -> None:
    """The options of event files work together."""
    Path("c.csv").write_text("who,item_id,timestamp\nann,tea,100\nbob,,101\ncid,jam,102\n,,\n")
    assert gsr("produce", "c.csv", "--column", "user=who").exit_code == 10
    result = gsr("produce", "c.csv", "--column", "user=who", "--skip-bad", "--limit", "2")
    assert result.exit_code == 0
    assert "sent 2 events" in result.stderr
    assert "skipped" in result.stderr
    assert "c.csv, line 3" in result.stderr


def test_an_empty_file_is_no_surprise() -> None:
    """A file without rows sends nothing or says that it is empty."""
    Path("c.csv").write_text("user_id,item_id,timestamp\n")
    result = gsr("produce", "c.csv")
    assert "Traceback" not in result.output
    assert "sent 0 events" in result.stderr or result.exit_code == 10


def test_simulate_prints_the_same_for_the_same_seed() -> None:
    """JSON lines and CSV hold the same clicks."""
    lines = gsr("simulate", "--events", "50", "--seed", "3").stdout.splitlines()
    assert len(lines) == 50
    assert lines == gsr("simulate", "--events", "50", "--seed", "3").stdout.splitlines()
    assert lines != gsr("simulate", "--events", "50", "--seed", "4").stdout.splitlines()
    rows = gsr("simulate", "--events", "50", "--seed", "3", "--format", "csv").stdout.splitlines()
    assert rows[0] == "user_id,item_id,timestamp,event"
    assert rows[1].split(",")[:2] == [json.loads(lines[0])[key] for key in ("user_id", "item_id")]


@pytest.mark.parametrize("option", ["--items", "--users"])
def test_the_smallest_shop_that_simulate_takes(option: str) -> None:
    """One shopper, or one item, is a shop; the help says so."""
    result = gsr("simulate", option, "1", "--events", "5")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 5
    assert "1<=x<=10000000" in gsr("simulate", "--help").output


def test_simulate_sends_to_a_log() -> None:
    """With --log the clicks go to the topic."""
    result = gsr("simulate", "--log", "embedded:run/log", "--events", "20", "--restamp")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert len(values("clicks")) == 20


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the question asked although standard input is no terminal."""
    monkeypatch.setattr("consumers.cli.commands.can_ask", lambda: True)


@pytest.mark.usefixtures("terminal", "topics")
def test_forget_appends_the_forget_record() -> None:
    """A key without a value, after the question was answered."""
    assert gsr("forget", "ann", answer="n\n").exit_code == 1
    assert gsr("forget", "ann", answer="y\n").exit_code == 0
    assert gsr("forget", "bob", "--yes").exit_code == 0
    assert sorted(key or b"" for key, value in values("clicks") if value is None) == [
        b"ann",
        b"bob",
    ]


@pytest.mark.usefixtures("topics")
def test_items_are_blocked_and_allowed() -> None:
    """The newest control record says whether the item is available; the rest of it stays."""
    gsr("items", "block", "tea")
    gsr("items", "allow", "tea")
    records = [json.loads(value or b"") for key, value in values("items") if key == b"tea"]
    assert [record.get("available", True) for record in records] == [False, True]


@pytest.mark.usefixtures("topics")
def test_a_control_that_is_none_is_replaced() -> None:
    """Whatever lies under the item's key, it can be blocked."""
    gsr("items", "block", "tea")
    log = open_log("embedded:run/log", SystemClock())
    log.writer("items").append([Outgoing(b"tea", b'{"schema_version": 99}')])
    log.close()
    result = gsr("items", "block", "tea")
    assert result.exit_code == 0
    assert "replaced" in result.output
    assert json.loads(values("items")[-1][1] or b"")["available"] is False


@pytest.mark.usefixtures("topics")
def test_topics_are_listed_for_people_and_programs() -> None:
    """The table names each topic; --json says the same."""
    assert "clicks.dlq" in gsr("log", "topics").stdout
    rows = json.loads(gsr("log", "topics", "--json").stdout)
    assert {row["topic"] for row in rows} >= {"clicks", "sequences", "recommendations"}
    assert gsr("log", "clean").exit_code == 0


@pytest.mark.usefixtures("terminal", "topics")
def test_retention_follows_the_configuration() -> None:
    """Who feeds a topic that differs is refused; one command brings it into line."""
    day = ("--set", "log.clicks_retention_seconds=86400")
    fed = ("simulate", "--log", "embedded:run/log", "--events", "1")
    refused = gsr(*fed, *day)
    assert refused.exit_code == 6
    assert "gsr log retain" in refused.stderr
    assert "7 days" in gsr("log", "topics", *day).stdout
    dry = gsr("log", "retain", *day, "--dry-run")
    assert "clicks: 7 days becomes 1 days" in dry.stderr
    assert gsr("log", "retain", *day, answer="n\n").exit_code == 1
    assert gsr(*fed, *day).exit_code == 6
    assert gsr("log", "retain", *day, "--yes").exit_code == 0
    assert gsr(*fed, *day).exit_code == 0
    assert "every topic keeps" in gsr("log", "retain", *day).stderr


def checkpointed(directory: Path, offset: int) -> PartitionStore:
    """Return the open state of partition 1, whose state of now is published as a checkpoint."""
    config = GsrConfig()
    rules = config.events.rules()
    store = PartitionStore.open(directory, 1, config.state.shape(), rules, SystemClock())
    decoded = ClickCodec(rules).decode(
        RecordBatch(
            topic="clicks",
            partition=1,
            offsets=np.array([offset - 1]),
            append_times=np.array([time.time()]),
            keys=[b"ann"],
            values=[encode_click("ann", "tea", 100.0)],
        ),
        -math.inf,
    )
    store.apply(decoded.clicks, decoded.watermark, offset)
    open_artifacts(config, SystemClock()).publish_checkpoint(1, offset, store.checkpoint)
    return store


@pytest.mark.usefixtures("terminal")
def test_a_state_is_restored_from_its_newest_checkpoint() -> None:
    """Into an empty directory at once, over a state only after a yes, never under an ingest."""
    own = GsrConfig().ingest_directory / "partition-1"
    store = checkpointed(own, 8)
    assert gsr("state", "restore", "--yes").exit_code == 5
    store.close()
    before = list(dump(own))
    dry = gsr("state", "restore", "--dry-run")
    assert "checkpoint of offset 8" in dry.stderr
    assert "which holds a state" in dry.stderr
    shutil.rmtree(own / "db")
    assert gsr("state", "restore").exit_code == 0
    assert list(dump(own)) == before
    assert gsr("state", "restore", answer="n\n").exit_code == 1
    (own / "db" / "CURRENT").write_text("torn")
    done = gsr("state", "restore", answer="y\n")
    assert done.exit_code == 0
    assert "reads on from offset 8" in done.stderr
    assert list(dump(own)) == before
    assert gsr("state", "check", "--live").exit_code == 0
    assert gsr("state", "restore", "--partition", "4").exit_code == 9
    assert gsr("state", "restore", "--into", "elsewhere").exit_code == 0
    assert list(dump(Path("elsewhere/ingest/partition-1"))) == before


@pytest.mark.usefixtures("terminal")
def test_models_are_listed_shown_and_rolled_back() -> None:
    """The registry of models from the outside."""
    assert json.loads(gsr("models", "list", "--json").stdout) == []
    store = open_artifacts(GsrConfig(), SystemClock())
    store.publish_snapshot(b"one", {"loss": 1.0})
    store.publish_snapshot(b"two", {"loss": 2.0})
    assert (
        "would restore model 1 in place of 2" in gsr("models", "rollback", "1", "--dry-run").stderr
    )
    assert gsr("models", "rollback", "1", answer="n\n").exit_code == 1
    assert store.current_snapshot() == 2
    assert "as version 3" in gsr("models", "rollback", "1", "--yes").stderr
    listed = json.loads(gsr("models", "list", "--json").stdout)
    assert [(model["version"], model["current"]) for model in listed] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert json.loads(gsr("models", "show", "3").stdout)["restored_from"] == 1
    assert "yes" in gsr("models", "list").stdout.splitlines()[-1]
    assert "as version 43" in gsr("models", "rollback", "1", "--above", "42", "--yes").stderr


def test_a_model_of_other_settings_is_not_rolled_back_to() -> None:
    """Neither trainer nor publisher could use it; the setting is named as users write it."""
    store = open_artifacts(GsrConfig(), SystemClock())
    store.publish_snapshot(b"one", {"config": {"dimension": 8, "event_weights": [1.0]}})
    refused = gsr("models", "rollback", "1", "--yes")
    assert refused.exit_code == 11
    assert "model.dimension = 8, the configuration says 64" in refused.stderr
    assert "events.weights = [1.0]" in refused.stderr
    assert store.current_snapshot() == 1


def test_a_state_of_another_shape_is_not_restored() -> None:
    """The state that is there stays; the command says which settings the checkpoint has."""
    own = GsrConfig().ingest_directory / "partition-1"
    checkpointed(own, 8).close()
    before = list(dump(own))
    other = ["--set", "state.half_lives_seconds=[60, 600]"]
    refused = gsr("state", "restore", "--yes", *other)
    assert refused.exit_code == 5
    assert "state.half_lives_seconds = [3600.0" in refused.stderr
    assert list(dump(own)) == before
    assert gsr("state", "check", *other).exit_code == 0
    facts = json.loads(gsr("item", "tea", "--json", *other).stdout)
    assert facts["half_lives_seconds"] == list(GsrConfig().state.half_lives_seconds)
    assert facts["popularity"] == pytest.approx([1.0] * 4)


@pytest.mark.usefixtures("terminal")
def test_who_follows_the_advice_on_damage_has_a_sound_state() -> None:
    """Found by --live, mended by the command that it names."""
    own = GsrConfig().ingest_directory / "partition-1"
    checkpointed(own, 8).close()
    before = list(dump(own))
    (own / "db" / "CURRENT").write_text("torn")
    found = gsr("state", "check", "--live")
    assert found.exit_code == 5
    assert "the checkpoint of offset 8" in found.stderr
    assert r"\n" not in found.stderr
    advised = found.stderr.split("`gsr ")[1].partition("`")[0].split()
    assert advised == ["state", "restore", "--partition", "1"]
    assert gsr(*advised, answer="y\n").exit_code == 0
    assert gsr("state", "check", "--live").exit_code == 0
    assert list(dump(own)) == before


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ).stdout


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("consumers.cli", "torch river plotly pandas scipy.stats"),
        ("consumers.runtime.role_process", "torch river plotly pandas scipy.stats"),
        ("consumers.roles.ingest.role", "torch river plotly pandas scipy.stats"),
        ("consumers.roles.publisher.role", "torch river plotly pandas scipy.stats"),
        (
            "consumers.roles.trainer.role",
            "torch_geometric torch._dynamo river plotly pandas scipy.stats",
        ),
    ],
)
def test_what_starts_a_role_imports_no_more_than_it_needs(module: str, heavy: str) -> None:
    """Memory and start-up time: learning libraries come when there is something to learn."""
    code = f"import sys, {module}; print(sorted(set(sys.modules) & set({heavy.split()})))"
    assert python(code).strip() == "[]"


def test_help_does_without_heavy_imports() -> None:
    """`gsr --help` answers at once."""
    heavy = "{'numpy', 'numba', 'pydantic', 'pyarrow', 'fsspec', 'prometheus_client'}"
    code = f"import sys, consumers.cli; print(sorted(set(sys.modules) & {heavy}))"
    assert python(code).strip() == "[]"


def test_a_reader_that_leaves_is_no_error() -> None:
    """`gsr simulate | head -1` ends quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "consumers.cli", "simulate", "--events", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.wait() == 141


@pytest.mark.parametrize("arguments", [["simulate", "--events", "3000"], ["--help"]], ids=" ".join)
def test_output_that_takes_no_more_is_no_traceback(arguments: list[str]) -> None:
    """`gsr simulate > FILE` on a full disk says so, with the code of a full disk."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "consumers.cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            check=False,
        )
    assert process.returncode == 5
    expected = "error: standard output, which is cut off: No space left on device\n"
    assert process.stderr == expected
