"""Fetched batches become columns instead of record objects.

Wrong: kafka-python makes an object of every record, which is most of what reading costs; after a
    checksum that fails, the next poll hangs; and an error that the broker reports has no place.
Issue: https://github.com/dpkp/kafka-python/issues/290 asked for speed; the others: not reported.
Probe: `fits`, which compares the library's source around the seam; elsewhere its own objects are
    used, which is slower, and damage takes a new client for each fetch.
Until: the library hands out the bytes of a fetched partition.

The library's fetcher hands the bytes of each fetched partition to an object of its class
`PartitionRecords`, asks that for records until it is empty, and follows the offset that it names.
`install` puts another class in its place, in one consumer; all else (sessions, offsets, epochs,
pauses, rebalances) stays the library's own.
"""

import functools
import hashlib
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, InvalidRecordError, UnknownError
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords

from stream.errors import RecordsDamagedError
from stream.log.kafka.cluster.library import warn_unfit
from stream.log.kafka.decoding.batch_header import MAGIC, MAGIC_AT, batch_size
from stream.log.kafka.decoding.damaged_batch import next_readable
from stream.log.kafka.decoding.plain_records import record_columns
from stream.log.kafka.decoding.record_batches import BatchDecoder
from stream.log.kafka.decoding.record_columns import RecordColumns

KNOWN_SEAMS: Final = frozenset({"0b37a90d4ef563a0"})
"""Digests of the library's source around the seam; `seam_digest` of 3.0.12."""

_logger = logging.getLogger(__name__)


def install(consumer: KafkaConsumer, fell_back: Callable[[], None]) -> bool:
    """Make `consumer.poll` return lists of `RecordColumns`; return whether that is possible.

    Parameters
    ----------
    consumer
        Without deserializers; nothing was fetched with it yet.
    fell_back
        Called where a fetch is in message format 0 or 1, which the library then unpacks into
        records of its own.
    """
    if not fits():
        warn_unfit("fast_fetch", "fetches are unpacked record by record: reading is slower")
        return False
    fetcher = consumer._fetcher  # noqa: SLF001  # the seam
    fetcher.PartitionRecords = records = _PartitionRecords(fell_back)
    fetcher._parse_fetched_data = _watched(fetcher._parse_fetched_data, records)  # noqa: SLF001
    return True


def fits() -> bool:
    """Return whether the library around the seam is one that this was written for."""
    return seam_digest() in KNOWN_SEAMS


@functools.cache
def _warn_of_format(topic: str) -> None:
    """Say once that a topic has old batches."""
    _logger.warning(
        "%s has batches in the message format of before Kafka 0.11, which are unpacked record by "
        "record: reading them is slower, nothing else changes.",
        topic,
    )


@functools.cache  # reading source costs more than opening the consumer that asks
def seam_digest() -> str | None:
    """Return a digest of the library's source around the seam; None where it has none."""
    fetcher: Any = Fetcher
    try:
        parts = (
            fetcher.fetch_records,
            fetcher.fetched_records,
            fetcher._append,  # noqa: SLF001
            fetcher._parse_fetched_data,  # noqa: SLF001
            fetcher._on_partition_records_drain,  # noqa: SLF001
            fetcher.close,
            fetcher.PartitionRecords,
            MemoryRecords,
        )
        sources = [inspect.getsource(part) for part in parts]
    except (AttributeError, OSError):
        return None
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def _watched(parse: Callable[[Any], Any], records: "_PartitionRecords") -> Callable[[Any], Any]:
    """Return `parse`, which tells `records` of the log's end, and where a broker's error was."""

    def watch(completed: Any) -> Any:
        records.end_offset = completed.partition_data.high_watermark
        place, offset = completed.topic_partition, completed.fetched_offset
        try:
            return parse(completed)
        except (CorruptRecordError, InvalidRecordError) as error:
            reason = f"the broker says so ({error})"
            raise RecordsDamagedError(place.topic, place.partition, offset, None, reason) from error
        except UnknownError as error:
            raise UnknownError(
                f"the broker cannot read {place.topic}[{place.partition}] at offset {offset}, its "
                "own log says why"
            ) from error

    return watch


class _PartitionRecords:
    """Takes the place of `Fetcher.PartitionRecords`: makes columns of each fetched partition."""

    def __init__(self, fell_back: Callable[[], None]) -> None:
        self._fell_back = fell_back
        self.end_offset = -1

    def __call__(
        self,
        fetch_offset: int,
        tp: TopicPartition,
        records: MemoryRecords,
        *,
        isolation_level: Any,
        aborted_transactions: Sequence[Any] | None,
        metric_aggregator: Any,
        on_drain: Callable[[Any], None],
        **others: Any,
    ) -> "_FetchedColumns | _OldRecords":
        fetched = memoryview(records._buffer)  # noqa: SLF001  # no public way to the bytes
        if _has_old_format(fetched):
            _warn_of_format(tp.topic)
            self._fell_back()
            return _OldRecords(
                fetched,
                Fetcher.PartitionRecords(
                    fetch_offset,
                    tp,
                    records,
                    isolation_level=isolation_level,
                    aborted_transactions=aborted_transactions,
                    metric_aggregator=metric_aggregator,
                    on_drain=on_drain,
                    **others,
                ),
            )
        aborted = None
        if isolation_level == IsolationLevel.READ_COMMITTED:
            aborted = [(each.producer_id, each.first_offset) for each in aborted_transactions or ()]
        decoder = BatchDecoder(
            fetched,
            topic=tp.topic,
            partition=tp.partition,
            fetch_offset=fetch_offset,
            aborted=aborted,
            end_offset=self.end_offset if self.end_offset >= 0 else None,
        )
        decoder.check_whole()
        return _FetchedColumns(decoder, tp, metric_aggregator, on_drain)


class _Taken:
    """Columns that count as their records, and extend a list by one element."""

    def __init__(self, columns: RecordColumns | None) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return 0 if self._columns is None else len(self._columns)

    def __iter__(self) -> Iterator[RecordColumns]:
        if self._columns is not None:
            yield self._columns


class _FetchedColumns:
    """A fetched partition whose records are taken as columns."""

    def __init__(
        self,
        decoder: BatchDecoder,
        topic_partition: TopicPartition,
        metric_aggregator: Any,
        on_drain: Callable[[Any], None],
    ) -> None:
        self.topic_partition = topic_partition
        self.records_read = 0
        self._decoder = decoder
        self._metric_aggregator = metric_aggregator
        self._on_drain = on_drain
        self._drained = False

    def __bool__(self) -> bool:
        return not self._drained

    @property
    def next_fetch_offset(self) -> int:
        return self._decoder.next_offset

    @property
    def leader_epoch(self) -> int:
        return self._decoder.leader_epoch

    @property
    def bytes_read(self) -> int:
        return self._decoder.bytes_read

    def take(self, n: int) -> _Taken:
        try:
            columns = self._decoder.take(n)
        except RecordsDamagedError:
            self.drain()  # so that the next poll fetches it again
            raise
        if columns is not None:
            self.records_read += len(columns)
        if self._decoder.exhausted:
            self.drain()
        return _Taken(columns)

    def drain(self) -> None:
        if not self._drained:
            self._drained = True
            if self._metric_aggregator:
                self._metric_aggregator.record(
                    self.topic_partition, self.bytes_read, self.records_read
                )
            self._on_drain(self)


class _OldRecords:
    """A fetched partition in message format 0 or 1, which the library unpacks.

    Parameters
    ----------
    fetched
        The bytes.
    records
        The library's own object.
    """

    def __init__(self, fetched: memoryview, records: Any) -> None:
        self._fetched = fetched
        self._records = records

    def __bool__(self) -> bool:
        return bool(self._records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def take(self, n: int) -> _Taken:
        try:
            records = self._records.take(n)
        except Exception as error:
            # Asked again, the library's object says forever that there is nothing yet.
            self._records.drain()
            raise self._damage(error) from error
        return _Taken(record_columns(records) if records else None)

    def _damage(self, error: Exception) -> RecordsDamagedError:
        place, offset = self._records.topic_partition, self._records.next_fetch_offset
        behind = next_readable(self._fetched, 0, offset)
        end = None if behind is None or behind.offset == offset else behind.offset
        return RecordsDamagedError(place.topic, place.partition, offset, end, str(error))


def _has_old_format(fetched: memoryview) -> bool:
    """Return whether some batch is in message format 0 or 1."""
    position = 0
    try:
        while (size := batch_size(fetched, position)) is not None:
            if fetched[position + MAGIC_AT] < MAGIC:
                return True
            position += size
    except ValueError:
        pass  # the decoder will say it better
    return False
