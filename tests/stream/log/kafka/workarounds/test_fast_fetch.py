"""In kafka-python's own fetcher, the columns take the place of its records."""

import logging
import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import CompletedFetch, Fetcher
from kafka.consumer.subscription_state import SubscriptionState
from kafka.metrics import Metrics

from gsr.counters.ids.byte_column import ByteColumn
from stream.errors import RecordsDamagedError
from stream.log.interface import RecordBatch
from stream.log.kafka.cluster.library import warn_unfit
from stream.log.kafka.decoding.record_columns import columns_batch
from stream.log.kafka.workarounds import fast_fetch
from tests.stream.log.kafka.batches import batch, library_batch, marker, record

PLACE: Final = TopicPartition("clicks", 0)


class Fetching:
    """A consumer's fetcher that is given what a broker would have sent."""

    def __init__(self, *, fast: bool = True, isolation: str = "read_committed") -> None:
        self.fallbacks = 0
        self.subscription = SubscriptionState(offset_reset_strategy="none")
        self.subscription.assign_from_user([PLACE])
        self.subscription.seek(PLACE, 0)
        client: Any = SimpleNamespace(_manager=SimpleNamespace(_net=None))
        self.fetcher = Fetcher(
            client, self.subscription, isolation_level=isolation, metrics=Metrics()
        )
        if fast:
            consumer: Any = SimpleNamespace(_fetcher=self.fetcher)
            assert fast_fetch.install(consumer, self._fell_back)

    def _fell_back(self) -> None:
        self.fallbacks += 1

    def arrive(
        self, fetched: bytes, aborted: Sequence[tuple[int, int]] = (), error_code: int = 0
    ) -> None:
        data = SimpleNamespace(
            error_code=error_code,
            high_watermark=100,
            diverging_epoch=None,
            preferred_read_replica=-1,
            records=fetched,
            aborted_transactions=[
                SimpleNamespace(producer_id=producer, first_offset=first)
                for producer, first in aborted
            ],
        )
        self.fetcher._completed_fetches.append(  # noqa: SLF001
            CompletedFetch(PLACE, self.position, 17, data, None)
        )

    @property
    def position(self) -> int:
        position: OffsetAndMetadata = self.subscription.position(PLACE)
        return int(position.offset)

    def poll(self, max_records: int = 1000) -> RecordBatch | None:
        records, _ = self.fetcher.fetched_records(max_records)
        if PLACE not in records:
            return None
        return columns_batch(PLACE.topic, PLACE.partition, records[PLACE])


@pytest.fixture
def fetching() -> Fetching:
    return Fetching()


def values(polled: RecordBatch | None) -> list[bytes | None]:
    return [] if polled is None else list(polled.values)


def clicks(n: int, base_offset: int = 0, **settings: Any) -> bytes:
    return batch(
        [record(i, b"k", b"%d" % (base_offset + i)) for i in range(n)], base_offset, **settings
    )


def test_a_poll_hands_out_columns(fetching: Fetching) -> None:
    """Offsets, times in seconds, keys and values; and the library's position follows."""
    fetching.arrive(clicks(3, append_time=1500) + clicks(2, 3, append_time=2500))
    polled = fetching.poll()
    assert polled is not None
    assert (polled.topic, polled.partition) == ("clicks", 0)
    assert polled.offsets.tolist() == [0, 1, 2, 3, 4]
    assert polled.append_times.tolist() == [1.5, 1.5, 1.5, 2.5, 2.5]
    assert isinstance(polled.keys, ByteColumn)
    assert polled.values == [b"0", b"1", b"2", b"3", b"4"]
    assert fetching.position == 5
    assert fetching.poll() is None


def test_polls_share_a_fetch(fetching: Fetching) -> None:
    """Not more than asked for, the rest later, and one batch of several fetches."""
    fetching.arrive(clicks(5))
    assert values(fetching.poll(2)) == [b"0", b"1"]
    assert fetching.position == 2
    assert values(fetching.poll(2)) == [b"2", b"3"]
    assert values(fetching.poll(2)) == [b"4"]
    fetching.arrive(clicks(2, 5))
    fetching.arrive(clicks(2, 7))
    assert values(fetching.poll()) == [b"5", b"6"]  # the other one was for another position
    assert fetching.position == 7


def test_positions_pass_what_is_not_for_us(fetching: Fetching) -> None:
    aborted = clicks(2, transactional=True, producer=4)
    fetching.arrive(aborted + marker(2, 4, abort=True), aborted=[(4, 0)])
    assert fetching.poll() is None
    assert fetching.position == 3


def test_read_uncommitted_is_the_librarys_setting() -> None:
    fetching = Fetching(isolation="read_uncommitted")
    fetching.arrive(clicks(2, transactional=True, producer=4), aborted=[(4, 0)])
    assert values(fetching.poll()) == [b"0", b"1"]


def test_a_paused_partition_waits(fetching: Fetching) -> None:
    fetching.arrive(clicks(3))
    assert values(fetching.poll(1)) == [b"0"]
    fetching.subscription.pause(PLACE)
    assert fetching.poll() is None
    fetching.subscription.resume(PLACE)
    assert values(fetching.poll()) == [b"1", b"2"]


def test_what_was_fetched_before_a_seek_is_dropped(fetching: Fetching) -> None:
    fetching.arrive(clicks(5))
    fetching.poll(1)
    fetching.subscription.seek(PLACE, 40)
    assert fetching.poll() is None
    assert fetching.position == 40


def test_damage_is_reported_each_time_that_it_is_fetched(fetching: Fetching) -> None:
    """Kafka-python's own records would hang in the poll after; here it fetches anew."""
    bad = clicks(2, 2)[:-1] + b"x"
    fetching.arrive(clicks(2) + bad)
    assert values(fetching.poll()) == [b"0", b"1"]
    for _ in range(3):
        with pytest.raises(RecordsDamagedError, match=r"clicks\[0\].*offset 2 .*checksum"):
            fetching.poll()
        assert fetching.poll() is None
        fetching.arrive(bad)
    fetching.subscription.seek(PLACE, 4)
    assert fetching.poll() is None
    fetching.arrive(clicks(2, 4))
    assert values(fetching.poll()) == [b"4", b"5"]


@pytest.mark.parametrize(
    "length", [pytest.param(2**30, id="more than was sent"), pytest.param(3, id="too few")]
)
def test_a_batch_without_its_right_length_is_reported(fetching: Fetching, length: int) -> None:
    """No broker sends a batch cut off at the beginning; the library takes it for its own fault."""
    good = clicks(2)
    fetching.arrive(good[:8] + struct.pack(">i", length) + good[12:] + clicks(2, 2))
    with pytest.raises(RecordsDamagedError) as caught:
        fetching.poll()
    assert (caught.value.offset, caught.value.next_offset) == (0, 2)


def test_what_a_broker_cannot_read_is_reported_by_its_place(fetching: Fetching) -> None:
    fetching.arrive(b"", error_code=2)
    with pytest.raises(RecordsDamagedError, match=r"clicks\[0\].*offset 0 .*the broker says"):
        fetching.poll()


@pytest.mark.parametrize("magic", [0, 1])
def test_old_formats_are_left_to_the_library(fetching: Fetching, magic: int) -> None:
    """Message sets of before Kafka 0.11, alone or before newer batches."""
    old = library_batch([(b"k", b"a", ()), (None, b"b", ())], 0, 0, magic=magic)
    newer = batch([record(0, b"k", b"2", [("h", b"x"), ("n", None)])], 2)
    fetching.arrive(old + newer)
    polled = fetching.poll()
    assert polled is not None
    assert list(zip(polled.offsets.tolist(), polled.keys, polled.values, strict=True)) == [
        (0, b"k", b"a"),
        (1, None, b"b"),
        (2, b"k", b"2"),
    ]
    assert list(polled.headers) == [(), (), (("h", b"x"), ("n", b""))]
    assert fetching.fallbacks == 1
    assert fetching.poll() is None
    fetching.arrive(clicks(1, 3))
    assert values(fetching.poll()) == [b"3"]
    assert fetching.fallbacks == 1


def test_damage_in_an_old_format_is_reported_each_time(fetching: Fetching) -> None:
    """With the next batch, where that one can be read."""
    for _ in range(2):
        fetching.arrive(library_batch([(b"k", b"a", ())], 0, 0, magic=1)[:-1] + b"x" + clicks(2, 7))
        with pytest.raises(RecordsDamagedError, match="crc") as caught:
            fetching.poll()
        assert (caught.value.offset, caught.value.next_offset) == (0, 7)
        assert fetching.poll() is None


def test_another_version_of_the_library_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, with what to do."""
    warn_unfit.cache_clear()  # another test may have been told
    monkeypatch.setattr(fast_fetch, "KNOWN_SEAMS", frozenset({"another"}))
    plain = Fetching(fast=False)
    before = plain.fetcher.PartitionRecords
    consumer: Any = SimpleNamespace(_fetcher=plain.fetcher)
    with caplog.at_level(logging.WARNING):
        assert not fast_fetch.install(consumer, lambda: None)
        assert not fast_fetch.install(consumer, lambda: None)
    assert plain.fetcher.PartitionRecords is before
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]
    assert "constraints.txt" in caplog.text


def test_a_library_without_the_seam_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Fetcher, "_append")
    assert fast_fetch.seam_digest.__wrapped__() is None
