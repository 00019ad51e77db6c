"""Events are sent to the topic: nothing is lost in silence, and what stopped can go on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from stream.clock import SystemClock
from stream.errors import LogUnavailableError
from stream.log.embedded.storage_writer import StorageWriter
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from tests.consumers.command_line import gsr, values

HEADER = "user_id,item_id,timestamp\n"
FEW_CLICKS = HEADER + "ann,tea,100\nbob,jam,101\nann,jam,102\n"
NOW = 1_700_000_000
ONE_PARTITION = ("--set", "log.partitions=1")


def produce(*arguments: str) -> Result:
    return gsr("produce", "c.csv", *ONE_PARTITION, *arguments)


def items() -> list[str]:
    """Return the item of each record on the topic; none where there is no topic."""
    log = open_log("embedded:run/log", SystemClock())
    if not log.topics():
        return []
    reader = log.reader("clicks")
    found = []
    while batches := reader.poll(10_000, 0.0):
        found += [
            json.loads(value or b"")["item_id"] for batch in batches for value in batch.values
        ]
    reader.close()
    log.close()
    return found


def rows(first: int, stop: int) -> str:
    return "".join(f"u{n % 7},i{n},{NOW + n}\n" for n in range(first, stop))


def test_produce_puts_a_file_on_the_topic() -> None:
    """Key, value and order are those of the file."""
    Path("c.csv").write_text(FEW_CLICKS)
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


def test_a_bad_row_stops_behind_all_good_ones() -> None:
    """The count is exact, and the rest follows with --skip once the row is mended."""
    Path("c.csv").write_text(HEADER + rows(0, 12_001) + "u,i,noon\n" + rows(12_002, 12_010))
    result = produce()
    assert result.exit_code == 10
    assert "stopped: 12,001 events were sent to clicks" in result.stderr
    assert "--skip 12001" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: c.csv, line 12003")
    assert items() == [f"i{n}" for n in range(12_001)]
    Path("c.csv").write_text(HEADER + rows(0, 12_010))
    result = produce("--skip", "12001")
    assert result.exit_code == 0
    assert "sent 9 events" in result.stderr
    assert items() == [f"i{n}" for n in range(12_010)]


def test_skip_limit_and_skip_bad_count_good_rows() -> None:
    """A file in pieces arrives like the file as a whole."""
    Path("c.csv").write_text(HEADER + rows(0, 4) + "u,,1\n" + rows(4, 10))
    result = produce("--skip-bad", "--limit", "3")
    assert "for those behind them: the same command --skip 3" in result.stderr
    result = produce("--skip-bad", "--skip", "3", "--limit", "3")
    assert "--skip 6" in result.stderr
    assert produce("--skip-bad", "--skip", "6").exit_code == 0
    assert items() == [f"i{n}" for n in range(10)]
    assert "sent 0 events" in produce("--skip-bad", "--skip", "10").stderr
    result = produce("--skip-bad", "--skip", "11")
    assert result.exit_code == 2
    assert "there are only 10 events" in result.stderr


def test_a_file_that_is_newest_first_is_refused_or_sorted() -> None:
    """Nothing is sent before the operator has decided; --sort sends it in order."""
    Path("c.csv").write_text(
        HEADER + "".join(f"u1,i{n},{NOW + 10 * n}\n" for n in reversed(range(200)))
    )
    result = produce()
    assert result.exit_code == 10
    assert "stopped: 0 events were sent" in result.stderr
    assert "--sort" in result.stderr
    assert items() == []
    assert produce("--limit", "20").exit_code == 10  # or the rest would come late with --skip
    result = produce("--sort")
    assert result.exit_code == 0
    assert items() == [f"i{n}" for n in range(200)]
    assert "warning" not in result.stderr


def test_what_was_begun_goes_on_whatever_its_order() -> None:
    """It is neither refused nor sorted now: each event is sent once, and what is late is told."""
    backward = "".join(f"u1,i{n},{NOW + 10 * n}\n" for n in range(10_999, 9_999, -1))
    Path("c.csv").write_text(HEADER + rows(0, 10_000) + backward)
    assert "the same command --skip 10000" in produce("--limit", "10000").stderr
    result = produce("--skip", "10000")
    assert result.exit_code == 0
    assert "the whole file with --sort to a fresh log" in result.stderr
    assert sorted(items()) == sorted(f"i{n}" for n in range(11_000))


def test_what_goes_on_is_late_by_what_went_before() -> None:
    """Also where it is in order by itself."""
    month = 30 * 86_400
    older = "".join(f"u1,i{n},{NOW - month + n}\n" for n in range(100, 110))
    Path("c.csv").write_text(HEADER + rows(0, 100) + older)
    assert produce("--limit", "100").exit_code == 0
    assert "warning: 10 events came after newer ones" in produce("--skip", "100").stderr


def test_a_small_file_does_not_hide_the_next_ones_order() -> None:
    """Several files are one log: what it begins with is more than the first of them."""
    Path("few.csv").write_text(HEADER + rows(0, 10))
    Path("c.csv").write_text(
        HEADER + "".join(f"u1,i{n},{NOW + 10 * n}\n" for n in reversed(range(200)))
    )
    result = gsr("produce", "few.csv", "c.csv", *ONE_PARTITION)
    assert result.exit_code == 10
    assert "times go back" in result.stderr
    assert items() == []


def test_a_bad_row_near_the_start_stops_behind_all_good_ones() -> None:
    """Also where there are too few events to tell their order."""
    Path("c.csv").write_text(HEADER + rows(0, 5) + "u,i,noon\n" + rows(6, 10))
    result = produce("--limit", "8")
    assert result.exit_code == 10
    assert "the same command --skip 5 --limit 3" in result.stderr
    assert items() == [f"i{n}" for n in range(5)]


def test_disorder_in_the_middle_is_told() -> None:
    """Events of last month behind those of today are sent, counted, and not in silence."""
    Path("c.csv").write_text(HEADER + rows(0, 100) + f"u1,old,{NOW - 86_400 * 30}\n")
    result = produce()
    assert result.exit_code == 0
    assert "warning: 1 event came after newer ones" in result.stderr
    assert len(items()) == 101


def test_a_restamped_file_may_have_any_order_and_time() -> None:
    """Its own times go nowhere, so nothing is told of them."""
    Path("c.csv").write_text(
        HEADER + f"u1,later,{NOW * 2}\n" + "".join(f"u1,i{n},{NOW - n}\n" for n in range(100))
    )
    result = produce("--restamp")
    assert result.exit_code == 0
    assert len(items()) == 101
    assert "warning" not in result.stderr
    assert "--sort" not in result.stderr


def test_a_row_of_a_later_year_is_not_sent() -> None:
    """It would be refused on the topic; here it is named by its line."""
    Path("c.csv").write_text(HEADER + rows(0, 3) + f"u,i,{NOW * 2}\n")
    result = produce()
    assert result.exit_code == 10
    assert "line 5" in result.stderr
    assert "this machine's clock" in result.stderr
    assert len(items()) == 3


@pytest.mark.parametrize(
    ("options", "word"),
    [((), "twice is harmless"), (("--restamp",), "count twice if they are sent again")],
)
def test_a_log_that_goes_away_is_no_riddle(
    monkeypatch: pytest.MonkeyPatch, options: Sequence[str], word: str
) -> None:
    """What was acknowledged counts, and nothing else; new times make new clicks."""
    Path("c.csv").write_text(HEADER + rows(0, 12_000))
    append, calls = StorageWriter.append, []

    def away(writer: StorageWriter, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        calls.append(len(records))
        if len(calls) > 2:
            raise LogUnavailableError("the log is away")
        return append(writer, records)

    monkeypatch.setattr(StorageWriter, "append", away)
    result = produce(*options)
    assert result.exit_code == 6
    assert word in result.stderr
    assert f"--skip {sum(calls[:2])}" in result.stderr
    assert len(items()) == sum(calls[:2])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_says_how_far_it_came(number: signal.Signals, code: int) -> None:
    """Each append ends whole, and what it says is what is on the topic."""
    Path("c.csv").write_text(HEADER + rows(0, 12_000))
    command = [sys.executable, "-m", "consumers.cli", "produce", "c.csv", *ONE_PARTITION]
    process = subprocess.Popen(
        [*command, "--rate", "400"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    until = time.monotonic() + 120
    while not (Path("run/log/clicks.db").exists() and items()):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == code, said
    assert "Traceback" not in said
    (count,) = re.findall(r"--skip (\d+)", said)
    assert 0 < int(count) < 12_000
    assert items() == [f"i{n}" for n in range(int(count))]
    assert produce("--skip", count).exit_code == 0
    assert items() == [f"i{n}" for n in range(12_000)]
