"""`gsr dlq` as an operator meets it."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from consumers.cli.application import app
from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.errors import LogUnavailableError, RecordsDamagedError
from stream.events.records.dead_letters import damage_letter, dead_letter, shortened
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.storage_writer import StorageWriter
from stream.log.interface import Outgoing
from tests.consumers.dead_letter_world import DeadLetterWorld

SETTINGS = ("--set", "log.partitions=2")


@pytest.fixture(autouse=True)
def world() -> Iterator[DeadLetterWorld]:
    """Topics in run/log of an empty working directory."""
    log = EmbeddedLog(Path("run/log"), SystemClock())
    config = GsrConfig().with_values({"log": {"partitions": 2}})
    for spec in config.log.topics():
        log.create_topic(spec)
    yield DeadLetterWorld(log, SystemClock(), create=False)
    log.close()


def gsr(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, *SETTINGS], input=answer, prog_name="gsr")


def test_none_is_said(world: DeadLetterWorld) -> None:
    """An empty topic prints no table, and an empty list for programs."""
    result = gsr("dlq", "show")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "there are none" in result.stderr
    assert json.loads(gsr("dlq", "show", "--json").stdout) == []


def test_letters_are_shown_newest_first(world: DeadLetterWorld) -> None:
    """Where it was, the reason, the bytes; filters and the limit work together."""
    world.send((b"ann", b"{first"), (b"ann", world.click("tea", event="rent")))
    world.send((b"bob", b"{second"), partition=0)
    world.ingest()
    lines = gsr("dlq", "show").stdout.splitlines()
    assert lines[0].split() == ["came", "from", "reason", "detail", "redrives", "key", "value"]
    assert len(lines) == 4
    assert "clicks[0]@0" in lines[1]
    assert "{second" in lines[1]
    shown = json.loads(gsr("dlq", "show", "--json", "--reason", "malformed_json").stdout)
    assert [letter["value"] for letter in shown] == ["{second", "{first"]
    assert shown[1]["key"] == "ann"
    assert shown[1]["offset"] == 0
    assert shown[1]["headers"] == {"trace": "t-1"}
    assert len(json.loads(gsr("dlq", "show", "--json", "--limit", "2").stdout)) == 2
    only = json.loads(gsr("dlq", "show", "--json", "--partition", "0").stdout)
    assert [letter["value"] for letter in only] == ["{second"]
    assert len(json.loads(gsr("dlq", "show", "--json", "--since", "1h").stdout)) == 3
    assert json.loads(gsr("dlq", "show", "--json", "--since", "2999-01-01").stdout) == []


def test_letters_without_their_record_say_so(world: DeadLetterWorld) -> None:
    """Shortened ones, and those of damaged ranges; a redrive leaves them."""
    world.send((b"u", world.click("tea", event="rent")))
    (bad,) = world.ingest()
    (batch,) = world.batches("clicks")
    damage = RecordsDamagedError("clicks", 1, 7, 9, "its checksum is wrong")
    world.log.writer("clicks.dlq").append(
        [shortened(dead_letter(batch, bad)), damage_letter(damage, 9, time.time())]
    )
    table = gsr("dlq", "show").stdout
    assert "clicks[1]@7..8" in table
    assert "clicks[1]@0 (shortened)" in table
    (shown,) = json.loads(gsr("dlq", "show", "--json", "--reason", "damaged").stdout)
    assert (shown["offset"], shown["end_offset"], shown["value"]) == (7, 9, None)
    cut = json.loads(gsr("dlq", "show", "--json", "--reason", "unknown_event").stdout)
    assert [("original" in letter) for letter in cut] == [True, False]
    assert len(cut[0]["original"]["value_sha256"]) == 64
    told = gsr("dlq", "redrive", "--dry-run").stderr
    assert "only their beginning" in told
    assert "nobody can read" in told
    assert "to be sent: 1 unknown_event" in told


def test_what_letters_hold_is_harmless(world: DeadLetterWorld) -> None:
    """Escape sequences, other bytes and long values neither drive the terminal nor fill it."""
    hostile = b"\x1b[2J\x9b31m\xff\xfe " + "\u202eabc".encode() + b"\n\r\x00" + b"x" * 20_000
    world.send((b"\x1b[31m", hostile), (None, None), (b"k", b"\xe2\x82\xac" * 1000))
    world.ingest()
    table = gsr("dlq", "show").stdout
    assert all(character.isprintable() or character == "\n" for character in table)
    assert len(table.splitlines()) == 4
    assert max(map(len, table.splitlines())) < 300
    text = gsr("dlq", "show", "--json").stdout
    assert text.isascii()
    assert "\x1b" not in text
    letters = {letter["offset"]: letter for letter in json.loads(text)}
    assert letters[0]["value_bytes"] == len(hostile)
    assert len(letters[0]["value_base64"]) < 1500
    assert letters[1]["value"] is None
    assert letters[2]["value"] == "€" * 341
    whole = json.loads(gsr("dlq", "show", "--json", "--full").stdout)
    assert {letter["offset"]: letter for letter in whole}[2]["value"] == "€" * 1000


def test_a_header_of_others_is_no_traceback(world: DeadLetterWorld) -> None:
    """A time that no calendar has is shown as unknown."""
    names = ("topic", "partition", "offset", "reason", "detail", "time")
    values = (b"clicks", b"0", b"1", b"empty", b"", b"1e300")
    headers = tuple((f"gsr.error.{n}", v) for n, v in zip(names, values, strict=True))
    world.log.writer("clicks.dlq").append([Outgoing(b"k", b"", headers, 0)])
    assert gsr("dlq", "show").stdout.splitlines()[1].startswith("unknown")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "--reason", "futur"], "they are empty, malformed_json"),
        (["show", "--since", "yesterday"], "write 30m, 2h, 7d"),
        (["show", "--since", "9" * 40 + "d"], "write 30m, 2h, 7d"),
        (["show", "--partition", "2"], "partitions 0 to 1"),
        (["show", "--limit", "0"], "--limit"),
        (["redrive", "--reason", "x"], "is no reason"),
        (["redrive", "--rate", "0"], "--rate"),
        (["redrive", "--reason", "damaged"], "nobody can read them"),
    ],
)
def test_wrong_usage_is_answered_in_one_line(arguments: list[str], words: str) -> None:
    """What is allowed is named."""
    result = gsr("dlq", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_redrive_asks_tells_and_sends(
    world: DeadLetterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--dry-run and a no change nothing; --yes does it; a second one has nothing to do."""
    world.send((b"u", world.click("tea", event="rent")), (b"u", b"{oops"))
    world.ingest()
    dry = gsr("dlq", "redrive", "--dry-run")
    assert dry.exit_code == 0
    assert "to be sent: 1 unknown_event, 1 malformed_json" in dry.stderr
    assert "refused again: 1 unknown_event, 1 malformed_json" in dry.stderr
    assert gsr("dlq", "redrive").exit_code == 2
    monkeypatch.setattr("consumers.cli.commands.can_ask", lambda: True)
    assert gsr("dlq", "redrive", answer="n\n").exit_code == 1
    assert sum(world.log.end_offsets("clicks").values()) == 2
    done = gsr("dlq", "redrive", "--yes", "--reason", "unknown_event")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "sent 1 records to clicks again" in done.stderr
    assert world.records("clicks")[-1][1] == world.records("clicks")[0][1]
    assert "there is nothing to send" in gsr("dlq", "redrive", "--reason", "unknown_event").stderr
    assert gsr("dlq", "redrive", answer="y\n").exit_code == 0
    assert sum(world.log.end_offsets("clicks").values()) == 4


def test_a_redrive_that_stops_says_how_far_it_came(
    world: DeadLetterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command sends what is left."""
    for partition in (0, 1):
        world.send((b"u", b"{oops"), partition=partition)
    world.ingest()
    append, calls = StorageWriter.append, []

    def away(writer: StorageWriter, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        calls.append(len(records))
        if len(calls) == 2:
            raise LogUnavailableError("the log is away")
        return append(writer, records)

    monkeypatch.setattr(StorageWriter, "append", away)
    stopped = gsr("dlq", "redrive", "--yes")
    assert stopped.exit_code == 6
    assert "stopped: 1 records were sent; the same command sends the others" in stopped.stderr
    assert "sent 1 records to clicks again" in gsr("dlq", "redrive", "--yes").stderr
