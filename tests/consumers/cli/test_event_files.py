"""Options of event files: the same in every command that reads them."""

import gzip
import json
from pathlib import Path
from typing import get_args

import pytest

from consumers.cli import options
from stream.events.files.dialect import Quoting
from stream.events.files.reading import EventFile
from stream.events.files.time_units import TIME_UNITS
from tests.consumers.command_line import gsr

READERS = ("produce", "replay", "bootstrap", "evaluate")
LOG = ("--log", "embedded:log")
RATINGS = "0005,B01,5.0,1370476800\n0006,B02,1.0,1370476900\n"
NUMBERS = ("--no-header", "--column", "user=1", "--column", "item=2", "--column", "timestamp=4")


@pytest.mark.parametrize("command", [*READERS, "run"])
def test_every_reader_has_the_same_options(command: str) -> None:
    """One definition; the help of each shows all of them."""
    text = " ".join(gsr(command, "--help").stdout.split())
    for words in (
        "--header / --no-header Whether the first line of CSV",
        "--quoting <auto|standard|none>",
        f"--time-unit <{'|'.join(TIME_UNITS)}>",
        "--time-format FORMAT",
    ):
        assert words in text
    assert ("- is standard input; a directory means" in text) == (command != "run")


def test_choices_are_those_of_the_reader() -> None:
    """The command line spells them once more, to be quick."""
    unit = get_args(get_args(options.TimestampUnit)[0])[0]
    assert get_args(unit) == TIME_UNITS
    assert get_args(get_args(options.QuotingRule)[0]) == get_args(Quoting)


@pytest.mark.parametrize("command", READERS)
def test_every_reader_says_how_to_read_a_file_without_header(command: str) -> None:
    """And does not write anything before."""
    Path("ratings.csv").write_text(RATINGS)
    out = ["--out", "out"] if command in ("replay", "evaluate") else []
    result = gsr(command, "ratings.csv", *out)
    assert result.exit_code == 10
    assert " ".join(NUMBERS) in result.stderr
    assert not Path("out").exists()


SMALL = ("--set", "model.dimension=8", "--set", "log.partitions=1")
QUICKLY = {
    "produce": LOG,
    "bootstrap": (*LOG, *SMALL, "--state", "state"),
    "replay": (*SMALL, "--out", "out"),
    "evaluate": ("--out", "out", "--seeds", "1", "--minutes", "0.01", "--patience", "1"),
}


@pytest.mark.parametrize("command", READERS)
def test_every_reader_says_what_it_skipped(command: str) -> None:
    """How many rows, why, and the first of them; also those behind a limit once it read them."""
    good = [f"u{n % 5},i{n % 7},{1_370_476_800 + n}\n" for n in range(40)]
    Path("c.csv").write_text(
        "user_id,item_id,timestamp\n" + ",i,1\n" * 4 + "".join(good) + "u,,1\n"
    )
    limit = [] if command == "produce" else ["--limit", "30"]
    result = gsr(command, "c.csv", "--skip-bad", *QUICKLY[command], *limit)
    assert result.exit_code == 0, result.stderr
    assert "skipped 5 bad rows: 5 " in result.stderr
    assert result.stderr.count("  c.csv, line ") == 3


def test_bootstrap_names_the_topics_that_it_made() -> None:
    """As all do that fill a log."""
    Path("c.csv").write_text("user_id,item_id,timestamp\nu,i,1370476800\n")
    result = gsr("bootstrap", "c.csv", *QUICKLY["bootstrap"])
    assert result.exit_code == 0, result.stderr
    assert "made the topics clicks, clicks.dlq, sequences" in result.stderr
    assert result.stderr.count("embedded:log") == 1


def test_a_log_has_its_own_times() -> None:
    """Seconds, whatever they would be taken for in a file."""
    rows = [f"u{n % 5},i{n % 7},{10_000 + n}\n" for n in range(40)]
    Path("c.csv").write_text("user_id,item_id,timestamp\n" + "".join(rows))
    assert gsr("produce", "c.csv", *LOG, "--time-unit", "s").exit_code == 0
    result = gsr("replay", "embedded:log", *QUICKLY["replay"], "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["totals"]["clicks"] == 40


def test_produce_that_stops_early_says_what_it_skipped() -> None:
    """What came before the error, too."""
    Path("c.csv").write_text("user_id,item_id,timestamp\n,i,1\nu,i,1370476800\n")
    Path("other.csv").write_text("a,b\n1,2\n")
    result = gsr("produce", "c.csv", "other.csv", "--skip-bad", *LOG)
    assert result.exit_code == 10
    assert "skipped 1 bad row: " in result.stderr


def test_produce_sends_several_files_and_directories() -> None:
    """In order, with the columns by number."""
    Path("parts").mkdir()
    for name in ("parts/1.csv", "parts/2.csv", "more.csv"):
        Path(name).write_text(RATINGS)
    result = gsr("produce", "parts", "more.csv", *NUMBERS, *LOG)
    assert result.exit_code == 0, result.stderr
    assert "sent 6 events" in result.stderr


def test_produce_reads_standard_input() -> None:
    """Packed or not, `-` and by its path."""
    for name, content in (("-", gzip.compress(RATINGS.encode())), ("/dev/stdin", RATINGS.encode())):
        arguments = ("produce", name, *NUMBERS, *LOG)
        result = gsr(*arguments, answer=content)
        assert result.exit_code == 0, result.stderr
        assert "sent 2 events" in result.stderr


@pytest.mark.slow
def test_replay_reads_parts_of_a_log_by_time() -> None:
    """Whatever the order in which they are given."""
    late, early = Path("late.csv"), Path("early.csv")
    late.write_text("user_id,item_id,timestamp\nu,i,20171003\nv,i,20171004\n")
    early.write_text("user_id,item_id,timestamp\nu,j,20171001\nv,j,20171002\n")
    result = gsr("replay", "late.csv", "early.csv", "--out", "report", "--json")
    assert result.exit_code == 0, result.stderr
    assert '"events": "late.csv and 1 more"' in result.stdout
    assert '"clicks": 4' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--time-format", "%H:%M"], "does not hold year, month and day"),
        (["--time-unit", "weeks"], "weeks"),
        (["--quoting", "maybe"], "maybe"),
        (["--time-unit", "s", "--time-format", "%Y-%m-%d"], "give one"),
        (["--time-unit", "s", "--column", "timestamp_unit=ms"], "one file has one unit"),
        (["--column", "user=1", "--column", "item=1"], "5 different names"),
    ],
)
def test_wrong_options_are_answered_by_name(arguments: list[str], words: str) -> None:
    """Before the file is opened."""
    result = gsr("produce", "none.csv", *arguments, *LOG)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_one_log_is_not_replayed_with_files() -> None:
    """A URL among several arguments."""
    result = gsr("replay", "embedded:log", "more.csv", "--out", "report")
    assert result.exit_code == 2
    assert "give one log, or files" in result.stderr


def test_the_older_spelling_of_a_unit_still_works() -> None:
    """As a column's role, in which it was written once."""
    assert options.column_names(["timestamp=ts", "timestamp_unit=ms"]) == {"timestamp": "ts"}
    dialect = options.file_dialect(None, "auto", None, None, ["timestamp_unit=ms"])
    Path("clicks.csv").write_text("user_id,item_id,timestamp\nu,i,1500\n")
    (events,) = EventFile("clicks.csv", dialect=dialect).read()
    assert events.times.tolist() == [1.5]
