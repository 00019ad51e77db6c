"""Dead letters go back once, byte for byte, and never in circles."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from consumers.topics.dead_letter_lookup import newest_of_all
from consumers.topics.redrive import CHUNK_RECORDS, Redrive, RedriveOptions, Survey
from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS
from stream.clock import ManualClock, SystemClock
from stream.errors import LogUnavailableError, RecordsDamagedError
from stream.events.clicks.rules import EventRules
from stream.events.records.dead_letters import (
    REDRIVES_HEADER,
    damage_letter,
    dead_letter,
    shortened,
)
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log, Outgoing
from stream.log.kafka.log import KafkaLog
from tests.consumers.dead_letter_world import NOW, DeadLetterWorld
from tests.kafka_broker import KafkaAddress

WITH_RENT = EventRules(weights={**DEFAULT_EVENT_WEIGHTS, "rent": 2.0})
OPTIONS = RedriveOptions(dead_letters="clicks.dlq", source="clicks")


@pytest.fixture(params=["memory", "embedded"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeadLetterWorld]:
    clock = ManualClock(NOW)
    log: Log = MemoryLog(clock) if request.param == "memory" else EmbeddedLog(tmp_path, clock)
    yield DeadLetterWorld(log, clock)
    log.close()


def redrive(world: DeadLetterWorld, **changes: object) -> int:
    return Redrive(world.log, world.clock, _options(**changes)).run()


def survey(world: DeadLetterWorld, rules: EventRules, **changes: object) -> Survey:
    return Redrive(world.log, world.clock, _options(**changes)).survey(rules)


def _options(**changes: object) -> RedriveOptions:
    values: dict[str, object] = {"dead_letters": "clicks.dlq", "source": "clicks", **changes}
    return RedriveOptions(**values)  # type: ignore[arg-type]  # the tests' own values


def test_the_original_goes_back(world: DeadLetterWorld) -> None:
    """Key, bytes, headers and partition are the same; one header counts."""
    value = world.click("tea", event="rent")
    world.send((b"u", value))
    assert [one.reason for one in world.ingest()] == ["unknown_event"]
    assert redrive(world) == 1
    *_, (key, sent, headers) = world.records("clicks")
    assert (key, sent) == (b"u", value)
    assert headers == (("trace", b"t-1"), (REDRIVES_HEADER, b"1"))
    assert world.log.end_offsets("clicks") == {0: 0, 1: 2}
    assert world.ingest(WITH_RENT) == []


def test_a_second_redrive_sends_only_what_has_come_since(world: DeadLetterWorld) -> None:
    """Nothing goes twice, also from a process that was started later."""
    world.send(*[(b"u", world.click(f"i{n}", event="rent")) for n in range(30)])
    world.ingest()
    assert redrive(world) == 30
    assert redrive(world) == 0
    world.send((b"u", world.click("late", event="rent")))
    world.ingest(WITH_RENT)
    assert redrive(world) == 0
    world.send((b"u", b"{oops"), partition=0)
    world.ingest(WITH_RENT)
    assert redrive(world) == 1


def test_reasons_are_remembered_apart(world: DeadLetterWorld) -> None:
    """What a redrive of one reason passed over can follow; what it sent does not."""
    world.send(
        (b"u", b"{oops"),
        (b"u", world.click("a", event="rent")),
        (b"u", world.click("b", later=999)),
    )
    world.ingest()
    assert redrive(world, reasons=("unknown_event",)) == 1
    assert redrive(world, reasons=("future",)) == 1
    assert redrive(world, reasons=("future", "unknown_event")) == 0
    assert survey(world, WITH_RENT).letters == Counter(malformed_json=1)
    assert redrive(world) == 1


def test_a_survey_changes_nothing_and_says_what_would_fail_again(world: DeadLetterWorld) -> None:
    """--dry-run: how many of which reason, and what the present rules would refuse."""
    world.send((b"u", b"{oops"), (b"u", world.click("a", event="rent")), (None, b"{}"))
    world.ingest()
    first = survey(world, EventRules())
    assert first.letters == Counter(malformed_json=1, unknown_event=1, key_missing=1)
    assert first.refused_again == Counter(malformed_json=1, unknown_event=1, key_missing=1)
    assert survey(world, WITH_RENT).refused_again == Counter(malformed_json=1, key_missing=1)
    assert world.log.end_offsets("clicks") == {0: 0, 1: 3}


def test_what_is_bad_again_is_sent_a_few_times_only(world: DeadLetterWorld) -> None:
    """Each round counts in the header; one run never meets what it sent itself."""
    world.send((b"u", b"{oops"))
    for attempt in range(1, 4):
        world.ingest()
        assert world.letters()[-1].redrives == attempt - 1
        assert redrive(world) == 1
    world.ingest()
    assert world.letters()[-1].redrives == 3
    left = survey(world, EventRules())
    assert (left.exhausted, left.letters) == (1, Counter())
    assert redrive(world) == 0
    assert world.letters()[0].value == world.letters()[-1].value == b"{oops"


@pytest.mark.parametrize("count", [b"", b"-1", b"many", b"9" * 5000])
def test_a_senseless_count_is_none(world: DeadLetterWorld, count: bytes) -> None:
    """The header may come from anywhere."""
    world.log.writer("clicks").append([Outgoing(b"u", b"{", ((REDRIVES_HEADER, count),), 0)])
    world.ingest()
    assert world.letters()[0].redrives == 0
    assert redrive(world) == 1


def test_foreign_records_stay(world: DeadLetterWorld) -> None:
    """A header may name any topic or partition: nothing is written where it should not be."""
    world.send((b"u", b"{oops"))
    world.ingest()
    _, _, headers = world.records("clicks.dlq")[0]
    writer = world.log.writer("clicks.dlq")
    for name, other in (("topic", b"items"), ("partition", b"7"), ("reason", b"new_reason")):
        changed = tuple((n, other if n == f"gsr.error.{name}" else v) for n, v in headers)
        writer.append([Outgoing(b"u", b"{", changed, 1)])
    writer.append([Outgoing(b"u", b"?", (), 1)])
    assert survey(world, EventRules()).foreign == 3
    assert redrive(world) == 1


def test_what_holds_no_record_stays(world: DeadLetterWorld) -> None:
    """Letters that are shortened, or stand for records that nobody can read, are counted apart."""
    world.send((b"u", world.click("tea", event="rent")))
    (bad,) = world.ingest()
    (batch,) = world.batches("clicks")
    damage = RecordsDamagedError("clicks", 1, 7, 9, "torn")
    world.log.writer("clicks.dlq").append(
        [shortened(dead_letter(batch, bad)), damage_letter(damage, 9, NOW)]
    )
    before = world.records("clicks")
    found = survey(world, WITH_RENT)
    assert (found.letters.total(), found.shortened, found.damaged, found.foreign) == (1, 1, 1, 0)
    assert redrive(world) == 1
    assert len(world.records("clicks")) == len(before) + 1


def test_the_rate_is_kept(world: DeadLetterWorld) -> None:
    """A redrive must not push live clicks aside."""
    world.send(*[(b"u", b"{oops")] * 1200)
    world.ingest()
    begun = world.clock.monotonic()
    assert redrive(world, records_per_second=100.0) == 1200
    assert world.clock.monotonic() - begun == pytest.approx(12.0)


class _Failing:
    """A log whose positions cannot be saved after some time: a crash between send and save."""

    def __init__(self, log: Log, saves: int) -> None:
        self._log = log
        self._left = saves

    def __getattr__(self, name: str) -> Callable[..., object]:
        found: Callable[..., object] = getattr(self._log, name)
        return found

    def save_positions(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        if self._left == 0:
            raise LogUnavailableError("away")
        self._left -= 1
        self._log.save_positions(group, topic, positions)


@pytest.mark.parametrize("saves", [0, 1, 2])
def test_a_crash_sends_a_chunk_twice_and_loses_none(world: DeadLetterWorld, saves: int) -> None:
    """At least once: what was not remembered goes again."""
    total = 3 * CHUNK_RECORDS
    world.send(*[(b"u", b"{%d" % number) for number in range(total)])
    world.ingest()
    failing: Log = _Failing(world.log, saves)  # type: ignore[assignment]  # passes the rest on
    with pytest.raises(LogUnavailableError):
        Redrive(failing, world.clock, _options(reasons=("malformed_json",))).run()
    redrive(world, reasons=("malformed_json",))
    sent = Counter(value for _, value, headers in world.records("clicks") if _counted(headers))
    assert len(sent) == total
    assert sent.total() == total + CHUNK_RECORDS


def _counted(headers: Sequence[tuple[str, bytes]]) -> bool:
    return REDRIVES_HEADER in dict(headers)


@pytest.mark.kafka
def test_redrive_on_kafka(kafka_broker: KafkaAddress) -> None:
    """The same on a real broker: each once, remembered in groups, headers and bytes kept."""
    run = uuid.uuid4().hex[:8]
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    world = DeadLetterWorld(log, SystemClock(), source=f"redrive-{run}")
    names = {"dead_letters": f"redrive-{run}.dlq", "source": f"redrive-{run}"}
    values = [world.click(f"i{number}", event="rent") for number in range(40)]
    world.send(*[(b"u", value) for value in values])
    world.send((b"u", b"{oops"), partition=0)
    world.ingest()
    letters = newest_of_all(log, names["dead_letters"], {0: 0, 1: 0})
    assert len([stored for stored in letters if stored.letter is not None]) == 41
    assert redrive(world, **names, reasons=("unknown_event",)) == 40
    assert redrive(world, **names, reasons=("unknown_event",)) == 0
    assert survey(world, WITH_RENT, **names).letters == Counter(malformed_json=1)
    sent = [
        (key, value)
        for key, value, headers in world.records(names["source"])
        if headers == (("trace", b"t-1"), (REDRIVES_HEADER, b"1"))
    ]
    assert sent == [(b"u", value) for value in values]
    log.close()
