"""A stretch of the clicks topic becomes an event file."""

from pathlib import Path

import pytest

from consumers.errors import ConfigError, NotFoundError
from consumers.topics.click_export import TopicRange, export_clicks
from stream.clock import ManualClock
from stream.events.clicks.encoding import encode_click
from stream.events.clicks.rules import EventRules
from stream.events.files.reading import EventFile
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec

NOW = 1_700_000_000.0


@pytest.fixture
def log() -> MemoryLog:
    """Return a log with ten clicks in each of two partitions, a second apart."""
    clock = ManualClock(NOW)
    log = MemoryLog(clock)
    log.create_topic(TopicSpec(name="clicks", partitions=2))
    writer = log.writer("clicks")
    for n in range(10):
        for partition in range(2):
            user = f"u{partition}"
            value = encode_click(user, f"i{n}", clock.time(), event_id=f"e{n}")
            writer.append([Outgoing(user.encode(), value, partition=partition)])
        clock.sleep(1.0)
    return log


def _items(log: MemoryLog, path: Path, wanted: TopicRange) -> dict[str, list[str]]:
    export_clicks(log, "clicks", wanted, EventRules(), path)
    found: dict[str, list[str]] = {}
    for events in EventFile(path).read():
        for user, item in zip(events.user_ids, events.item_ids, strict=True):
            found.setdefault(user, []).append(item)
    return found


@pytest.mark.parametrize(
    ("start", "stop", "first", "second"),
    [
        (None, None, range(10), range(10)),
        ("0:8,1:9", None, range(8, 10), range(9, 10)),
        ("1:5", "0:2,1:6", range(2), range(5, 6)),
        (f"{NOW + 7.0}", None, range(7, 10), range(7, 10)),
        ("2023-11-14T22:13:22Z", "2023-11-14T22:13:24Z", range(2, 4), range(2, 4)),
        (None, "0:1000", range(10), range(10)),
    ],
)
def test_ranges(
    log: MemoryLog,
    tmp_path: Path,
    start: str | None,
    stop: str | None,
    first: range,
    second: range,
) -> None:
    """Times and offsets, on either side or on none."""
    found = _items(log, tmp_path / "clicks.jsonl.zst", TopicRange(start=start, stop=stop))
    assert found == {"u0": [f"i{n}" for n in first], "u1": [f"i{n}" for n in second]}


def test_what_is_no_click_is_left_out(log: MemoryLog, tmp_path: Path) -> None:
    """Refused and forget records are counted; line breaks inside a value do no harm."""
    broken = b'{"user_id":"u0",\n "item_id":"x","timestamp":1700000000}'
    log.writer("clicks").append(
        [Outgoing(b"u0", b"{oops"), Outgoing(b"u0", None), Outgoing(b"u0", broken)]
    )
    path = tmp_path / "clicks.jsonl.zst"
    found = export_clicks(log, "clicks", TopicRange(), EventRules(), path)
    assert (found.clicks, found.forgets, dict(found.refused)) == (21, 1, {"malformed_json": 1})
    assert sum(len(events) for events in EventFile(path).read()) == 21


@pytest.mark.parametrize("text", ["yesterday", "0:", "5:1", "nan"])
def test_nonsense(log: MemoryLog, text: str) -> None:
    """It says what is understood."""
    with pytest.raises(ConfigError, match=r"offsets|partitions"):
        TopicRange(start=text).offsets(log, "clicks")


def test_no_such_topic(log: MemoryLog) -> None:
    """A wrong name is said, not created."""
    with pytest.raises(NotFoundError):
        TopicRange().offsets(log, "clocks")
