"""One append is sent as it is, waited for in bounded time, and measured before."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError

from stream.clock import ManualClock
from stream.log.interface import Outgoing
from stream.log.kafka.writing.producing import offsets, record_bytes, send, too_large
from tests.stream.log.kafka.batches import batch, record


def test_records_are_sent_to_their_partitions() -> None:
    """Keys and values in boxes, because the library refuses records that lack both."""
    sent: list[Any] = []
    producer = SimpleNamespace(send=lambda *record: sent.append(record))
    records = [(Outgoing(None, None), 3), (Outgoing(b"k", b"v", (("h", b"x"),)), 0)]
    assert len(send(producer, "clicks", records)) == 2
    assert sent == [
        ("clicks", (None,), (None,), [], 3),
        ("clicks", (b"v",), (b"k",), [("h", b"x")], 0),
    ]


class Future:
    """An acknowledgement that comes after some seconds."""

    def __init__(self, clock: ManualClock, offset: int, after: float) -> None:
        self._clock, self._offset, self._after = clock, offset, after

    def get(self, timeout: float) -> SimpleNamespace:
        if timeout < self._after:
            raise KafkaTimeoutError
        self._clock.sleep(self._after)
        return SimpleNamespace(offset=self._offset)


def test_all_acknowledgements_share_the_time() -> None:
    clock = ManualClock()
    assert offsets([Future(clock, 7, 4.0), Future(clock, 8, 4.0)], clock, 10.0) == [7, 8]
    with pytest.raises(KafkaTimeoutError):
        offsets([Future(clock, 7, 6.0), Future(clock, 8, 6.0)], clock, 10.0)


@pytest.mark.parametrize(
    ("errors", "row"),
    [
        ([None, None], None),
        ([KafkaTimeoutError(), None], None),
        ([None, MessageSizeTooLargeError(), MessageSizeTooLargeError()], 1),
        ([RecordListTooLargeError()], 0),
    ],
)
def test_the_first_record_that_is_too_large_is_told(
    errors: list[Exception | None], row: int | None
) -> None:
    assert too_large([SimpleNamespace(exception=error) for error in errors]) == row


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (None, None, ()),
        (b"k" * 300, b"v" * 70_000, ()),
        (b"k", b"v", (("é" * 200, b"x" * 200), ("", b""))),
    ],
)
def test_a_record_is_never_larger_than_its_measure(
    key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> None:
    """With the batch that it needs, and not by much smaller."""
    measure = record_bytes(Outgoing(key, value, headers))
    size = len(batch([record(0, key, value, headers)]))
    assert size <= measure <= size + 120
