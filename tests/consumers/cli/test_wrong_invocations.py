"""Wrong invocations: no traceback, a code that tells the kind, and a word that helps."""

import gzip
import logging
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.cli.application import app

CLICKS = "user_id,item_id,timestamp\nann,tea,100\nbob,jam,101\n"
ANY = None
"""Any documented code: which one is for the tests of what the row is about."""
USAGE, STATE, LOG, ARTIFACT, MISSING, EVENTS = 2, 5, 6, 7, 9, 10

OPTIONS = [
    ("prodce c.csv", USAGE, "produce"),
    ("items blck tea", USAGE, "block"),
    ("produce c.csv --rat 3", USAGE, "--rate"),
    ("simulate --seeds 3", USAGE, "--seed"),
    ("replay c.csv --outt r", USAGE, "--out"),
    ("replay c.csv", USAGE, "--out"),
    ("produce", USAGE, "EVENTS"),
    ("recommend", USAGE, "USER"),
    ("models show", USAGE, "VERSION"),
    ("recommend ann bob", USAGE, "bob"),
    ("log", USAGE, "topics"),
    ("run --log-format xml", USAGE, "json"),
    ("evaluate c.csv --out r --protocol lou", USAGE, "leave-one-out"),
    ("simulate --format tsv", USAGE, "csv"),
    ("compare a b --part train", USAGE, "valid"),
]
CONTRADICTIONS = [
    ("run --events c.csv", USAGE, "--demo"),
    ("run --column user=who", USAGE, "--demo"),
    ("run --time-unit ms", USAGE, "--demo"),
    ("run --demo --no-header", USAGE, "--events"),
    ("run --demo --events -", USAGE, "--events must be a file"),
    ("run --demo --events /dev/null", USAGE, "--events must be a file"),
    ("replay c.csv --out r --from 2026-01-01T00:00:00Z", USAGE, "log"),
    *(
        (f"replay embedded:log --out r {option}", USAGE, "a log knows its columns and times")
        for option in (
            "--column user=who",
            "--no-header",
            "--quoting none",
            "--time-unit ms",
            "--time-format %Y-%m-%d",
            "--skip-bad",
        )
    ),
    ("simulate --rate 3", USAGE, "--log"),
    ("produce c.csv --column user", USAGE, "ROLE=NAME"),
    ("produce c.csv --column usr=x", USAGE, "user"),
    ("evaluate c.csv --out r --model dimension", USAGE, "NAME=VALUE"),
    ("forget ann", USAGE, "--yes"),
    ("dlq show --reason badness", USAGE, "future"),
    ("dlq show --since yesterday", USAGE, "2h"),
    ("dlq show --partition -1", USAGE, "--partition"),
    ("dlq show --partition 99", LOG, "--log"),
]
NUMBERS = [
    ("simulate --events -5", USAGE, "--events"),
    ("simulate --events many", USAGE, "integer"),
    ("simulate --events 1.5", USAGE, "integer"),
    ("simulate --users 0", USAGE, "--users"),
    ("produce c.csv --rate nan", USAGE, "--rate"),
    ("produce c.csv --rate inf", USAGE, "--rate"),
    ("run --demo --rate inf", USAGE, "--rate"),
    ("dlq redrive --rate inf", USAGE, "--rate"),
    ("produce c.csv --rate 0", USAGE, "--rate"),
    ("run --demo --rate nan", USAGE, "--rate"),
    ("dlq redrive --rate nan", USAGE, "--rate"),
    ("replay c.csv --out r --warmup nan", USAGE, "--warmup"),
    ("evaluate c.csv --out r --quantile nan", USAGE, "--quantile"),
    ("evaluate c.csv --out r --minutes nan", USAGE, "--minutes"),
    ("produce c.csv --limit 0", USAGE, "--limit"),
    ("replay c.csv --out r --warmup 1.5", USAGE, "--warmup"),
    ("replay c.csv --out r --seed -1", USAGE, "--seed"),
    ("replay c.csv --out r --seed 99999999999999999999999999", USAGE, "--seed"),
    ("evaluate c.csv --out r --seed 99999999999999999999999999", USAGE, "--seed"),
    ("compare a b --samples 1", USAGE, "--samples"),
    ("ingest --set learner.seed=99999999999999999999999999", USAGE, "learner"),
    ("ingest --set learner.batch_size=0", USAGE, "batch_size"),
    ("ingest --set learner.learning_rate=nan", USAGE, "learning_rate"),
    ("ingest --set model.dropout=2", USAGE, "dropout"),
    ("ingest --set model.dimension=1000000000", USAGE, "dimension"),
    ("simulate --head-start -1", USAGE, "--head-start"),
    ("recommend ann --top 0", USAGE, "--top"),
    ("item tea --top 100000", USAGE, "--top"),
    ("models show 0", USAGE, "VERSION"),
    ("models show 99999999999999999999", MISSING, "version"),
    ("models rollback two", USAGE, "integer"),
    ("state restore --partition -1", USAGE, "--partition"),
    ("state restore --partition 99999999999999999999", MISSING, "checkpoint"),
]
SETTINGS = [
    ("ingest --set trainer.cycle_seconds", USAGE, "section.key=VALUE"),
    ("ingest --set cycle_seconds=3", USAGE, "section.key=VALUE"),
    ("ingest --set trainer.cycle_second=3", USAGE, "did you mean trainer.cycle_seconds?"),
    ("ingest --set trainr.cycle_seconds=3", USAGE, "did you mean trainer?"),
    ("ingest --set trainer.cycle_seconds=soon", USAGE, "trainer.cycle_seconds"),
    ("ingest --set trainer.cycle_seconds=-1", USAGE, "greater than 0"),
    ("ingest --set trainer.cycle_seconds=nan", USAGE, "finite"),
    ("ingest --set ingest.poll_records=99999999999999999999999", USAGE, "1000000"),
    ("ingest --set log.partitions=0", USAGE, "log.partitions"),
    ("ingest --set log.partitions=1.5", USAGE, "log.partitions"),
    ("ingest --set log.clicks=CLICKS", USAGE, "lower-case"),
    ("ingest --set log.clicks=items", USAGE, "same name"),
    ("ingest --set http.ingest_port=70000", USAGE, "65535"),
    ("ingest --set http.ingest_port=0 --set http.host=not.an.address", USAGE, "http.host"),
    ("ingest --set events.weights={}", USAGE, "events.weights"),
    ("ingest --set events.default_event=buy_it", USAGE, "default_event"),
    ("ingest --set model.half_lives=[1.0]", USAGE, "state.half_lives_seconds"),
    ("ingest --set model.dimension=-4", USAGE, "dimension"),
    ("ingest --set kafka.security_protocol=tls", USAGE, "kafka"),
    ("ingest --config nowhere.toml", USAGE, "nowhere.toml"),
    ("ingest --config directory", USAGE, "directory"),
    ("ingest --config binary", USAGE, "TOML"),
    ("ingest --config c.csv", USAGE, "TOML"),
    ("ingest --config sections.toml", USAGE, "no such section"),
    ("ingest --config flat.toml", USAGE, "did you mean log.partitions?"),
    ("ingest --config section_as_value.toml", USAGE, "log"),
]
FILES = [
    ("produce nowhere.csv", EVENTS, "nowhere.csv"),
    ("produce directory", EVENTS, "directory"),
    ("produce empty.csv", EVENTS, "empty"),
    ("produce binary", EVENTS, "binary"),
    ("produce torn.csv.gz", EVENTS, "torn.csv.gz"),
    ("produce c.parquet", EVENTS, "c.parquet"),
    ("produce c.csv --column user=visitor", EVENTS, "visitor"),
    ("bootstrap nowhere.csv", EVENTS, "nowhere.csv"),
    ("replay nowhere.csv --out r", EVENTS, "nowhere.csv"),
    ("replay empty.csv --out r", EVENTS, "empty"),
    ("evaluate nowhere.csv --out r", EVENTS, "nowhere.csv"),
    ("run --demo --events nowhere.csv", EVENTS, "nowhere.csv"),
    ("bootstrap c.csv --state c.csv/below", ANY, "c.csv/below"),
    ("produce c.csv --log embedded:c.csv/below", ANY, "c.csv/below"),
    ("replay c.csv --out c.csv", ANY, "c.csv"),
    ("replay c.csv --out c.csv/below", ANY, "c.csv"),
    ("compare nowhere nowhere", MISSING, "nowhere"),
]
PLACES = [
    ("produce c.csv --log carrier:pigeon", LOG, "embedded:DIR"),
    ("log topics --log kafka://", LOG, "kafka://HOST:PORT"),
    ("log topics --log kafka://localhost", LOG, "kafka://HOST:PORT"),
    ("log topics --log embedded:", LOG, "embedded:DIR"),
    ("produce c.csv --log embedded:c.csv", ANY, "c.csv"),
    ("ingest --set http.ingest_port=0 --state c.csv", ANY, "c.csv"),
    ("models list --set artifacts.url=nosuch://bucket", USAGE, "artifacts.url"),
    ("models list --set artifacts.options_file=nowhere.toml", USAGE, "nowhere.toml"),
    ("models show 7", MISSING, "7"),
    ("models rollback 7 --yes", MISSING, "7"),
    ("state check", MISSING, "no state"),
    ("state check --live", MISSING, "no state"),
    ("state restore", MISSING, "checkpoint"),
    ("user ann", LOG, "--log"),
    ("item tea", MISSING, "checkpoints"),
    ("recommend ann", LOG, "--log"),
    ("user ''", USAGE, "empty"),
    ("recommend ''", USAGE, "empty"),
    ("item ''", USAGE, "empty"),
    ("forget '' --yes", USAGE, "empty"),
    ("items block ''", USAGE, "empty"),
    ("replay embedded:nothing --out r", ANY, "topic"),
    ("produce c.csv --log ''", LOG, "embedded:DIR"),
    ("state restore --state ~nobody-here/x", USAGE, "home"),
]
VARIABLES = [
    ("GSR_LOG__PARTITION", "3", "did you mean GSR_LOG__PARTITIONS?"),
    ("GSR_LOG__PARTITIONS", "many", "GSR_LOG__PARTITIONS"),
    ("GSR_TRAINER__CYCLE_SECONDS", "-1", "greater than 0"),
    ("GSR_STATE__HALF_LIVES_SECONDS", "[1,", "JSON"),
    ("GSR_EVENTS__WEIGHTS", "click", "JSON"),
    ("GSR_MODEL__DIMENSION", "wide", "GSR_MODEL__DIMENSION"),
    ("GSR_CONFIG", "nowhere.toml", "nowhere.toml"),
    ("GSR_CONFIG", "binary", "TOML"),
]
ROWS = [*OPTIONS, *CONTRADICTIONS, *NUMBERS, *SETTINGS, *FILES, *PLACES]


@pytest.fixture(autouse=True)
def _files() -> Iterator[None]:
    """Stand in a directory with a file of each kind; roles set up logging, which is undone."""
    Path("directory").mkdir()
    Path("c.csv").write_text(CLICKS)
    Path("c.parquet").write_text(CLICKS)
    Path("empty.csv").write_text("")
    Path("binary").write_bytes(bytes(range(256)) * 20)
    Path("torn.csv.gz").write_bytes(gzip.compress(CLICKS.encode() * 1000)[:60])
    Path("sections.toml").write_text("[logs]\npartitions = 2\n")
    Path("flat.toml").write_text("partitions = 2\n")
    Path("section_as_value.toml").write_text("log = 2\n")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def refused(line: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return with which code a command ends, and what it says; anything but an end fails."""
    with pytest.raises(SystemExit) as end:
        app(shlex.split(line), prog_name="gsr")
    assert isinstance(end.value.code, int)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert out == ""
    return end.value.code, err


@pytest.mark.parametrize(("line", "code", "word"), ROWS, ids=[line for line, _, _ in ROWS])
def test_a_wrong_invocation_is_answered_with_a_remedy(
    line: str, code: int | None, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In words, with the code of its kind, and with nothing where data is expected."""
    ended, said = refused(line, capfd)
    assert word in said
    assert ended == code if code is not None else 1 <= ended <= 12


@pytest.mark.parametrize(("name", "value", "word"), VARIABLES)
def test_a_wrong_variable_is_answered_with_a_remedy(
    name: str,
    value: str,
    word: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything else is done."""
    monkeypatch.setenv(name, value)
    code, said = refused("ingest", capfd)
    assert code == USAGE
    assert word in said


def test_a_port_in_use_is_answered_with_a_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    """A code of its own: another gsr may be running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused(f"ingest --set http.ingest_port={port}", capfd)
    assert code == 8
    assert "choose another port" in said
