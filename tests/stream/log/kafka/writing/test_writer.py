"""A writer sends each record once, in order, and starts over after trouble."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, ProducerFencedError

from stream.clock import ManualClock
from stream.errors import FencedError, LogError, LogUnavailableError, RecordTooLargeError
from stream.log.interface import Outgoing
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.workarounds.transactions import NOBODY
from stream.log.kafka.writing import writer as module
from stream.log.kafka.writing.writer import Destination, FencedKafkaWriter, KafkaWriter
from stream.log.placement import Placement

RECORDS = [Outgoing(b"k", b"v"), Outgoing(b"k", b"w")]


class Producers:
    """Opens producers that number what they are sent, or fail as they are told."""

    def __init__(self) -> None:
        self.opened = self.closed = self.begun = 0
        self.failures: list[Exception] = []
        self._next = 0

    def open(self) -> Any:
        self.opened += 1
        return SimpleNamespace(
            send=self._send, flush=lambda _: None, close=self._close, begin_transaction=self._begin
        )

    def _begin(self) -> None:
        self.begun += 1

    def _close(self, timeout: float) -> None:
        assert timeout > 0
        self.closed += 1

    def _send(self, *_: object) -> Any:
        error = self.failures.pop(0) if self.failures else None
        offset, self._next = self._next, self._next + 1

        def get(timeout: float) -> Any:
            assert timeout > 0
            if error is not None:
                raise error
            return SimpleNamespace(offset=offset)

        return SimpleNamespace(get=get, exception=error)


@pytest.fixture
def producers() -> Producers:
    return Producers()


@pytest.fixture
def figures() -> KafkaFigures:
    return KafkaFigures()


@pytest.fixture
def destination(producers: Producers) -> Destination:
    return Destination(
        topic="clicks",
        placement=Placement("clicks", 1, compacted=False),
        largest_bytes=1000,
        open_producer=producers.open,
        timeout_seconds=10.0,
    )


@pytest.fixture
def writer(destination: Destination, figures: KafkaFigures) -> KafkaWriter:
    return KafkaWriter(destination, ManualClock(), figures)


@pytest.fixture
def fenced(
    destination: Destination, figures: KafkaFigures, monkeypatch: pytest.MonkeyPatch
) -> FencedKafkaWriter:
    """Return a writer whose coordinator lets everybody in."""
    monkeypatch.setattr(module, "open_transactions", lambda *_: NOBODY)
    monkeypatch.setattr(module, "commit", lambda *_: None)
    return FencedKafkaWriter(destination, ManualClock(), figures)


def test_records_get_the_offsets_that_were_acknowledged(
    writer: KafkaWriter, producers: Producers
) -> None:
    """One client for all appends; none for an empty one."""
    assert writer.append([]) == []
    assert producers.opened == 0
    assert writer.append(RECORDS) == [(0, 0), (0, 1)]
    assert writer.append(RECORDS) == [(0, 2), (0, 3)]
    assert producers.opened == 1


def test_after_trouble_another_client_is_opened(
    writer: KafkaWriter, producers: Producers, figures: KafkaFigures
) -> None:
    """So that nothing of a failed append overtakes a later one."""
    producers.failures = [KafkaTimeoutError("late")]
    with pytest.raises(LogUnavailableError, match="append to clicks"):
        writer.append(RECORDS)
    assert producers.closed == 1
    assert figures.counts()["reconnects"] == 1
    writer.append(RECORDS)
    assert producers.opened == 2


def test_a_record_that_is_too_large_is_not_sent(writer: KafkaWriter, producers: Producers) -> None:
    """Nor is any other of the append."""
    with pytest.raises(RecordTooLargeError) as caught:
        writer.append([*RECORDS, Outgoing(b"k", b"v" * 1000)])
    assert (caught.value.rows, caught.value.limit) == ((2,), 1000)
    assert producers.opened == 0


def test_a_record_that_the_broker_finds_too_large_is_told(
    writer: KafkaWriter, producers: Producers
) -> None:
    producers.failures = [MessageSizeTooLargeError(), MessageSizeTooLargeError()]
    with pytest.raises(RecordTooLargeError) as caught:
        writer.append(RECORDS)
    assert (caught.value.rows, caught.value.limit) == ((0,), None)
    assert producers.closed == 1


def test_a_closed_writer_refuses(writer: KafkaWriter, producers: Producers) -> None:
    writer.append(RECORDS)
    writer.close()
    with pytest.raises(LogError, match="this writer to clicks was closed"):
        writer.append(RECORDS)
    assert producers.closed == 1


def test_an_append_with_a_fence_is_a_transaction(
    fenced: FencedKafkaWriter, producers: Producers
) -> None:
    assert fenced.append(RECORDS) == [(0, 0), (0, 1)]
    assert fenced.append(RECORDS) == [(0, 2), (0, 3)]
    assert (producers.opened, producers.begun) == (1, 2)


def test_trouble_that_lasts_is_tried_with_a_successor(
    fenced: FencedKafkaWriter, producers: Producers
) -> None:
    """Perhaps only that producer was done for."""
    producers.failures = [ProducerFencedError()]
    assert fenced.append(RECORDS[:1]) == [(0, 1)]
    assert (producers.opened, producers.closed) == (2, 1)


def test_who_was_locked_out_stays_so(
    fenced: FencedKafkaWriter, producers: Producers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never opens another producer, which would lock out the one who came."""

    def refuse(*_: object) -> None:
        raise ProducerFencedError

    monkeypatch.setattr(module, "open_transactions", refuse)
    producers.failures = [ProducerFencedError()]
    for _ in range(3):
        with pytest.raises(FencedError, match="another process has taken over"):
            fenced.append(RECORDS)
    assert producers.opened == 2
