"""What every log must do: one class of cases, run against each implementation.

A test module subclasses `LogContract`, overrides the `log_factory` fixture and the two hooks, and
inherits every case. Topic names are unique, so that all cases may share one broker; nothing is
assumed about when retention and compaction happen but that the hooks bring it about.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pytest

from stream.clock import Clock, SystemClock
from stream.errors import (
    FencedError,
    LogError,
    OffsetExpiredError,
    TopicMismatchError,
    UnknownTopicError,
)
from stream.log.interface import Headers, Log, Outgoing, Reader, TopicSpec
from stream.log.lag import Lag, lag
from stream.log.partitioner import partition_of

LogFactory = Callable[[], Log]
POLL_SECONDS = 0.2
PATIENCE_POLLS = 100  # empty polls before a case gives up


class Record(NamedTuple):
    """One record of a batch."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    append_time: float


def poll_records(reader: Reader, max_records: int = 1000) -> list[Record]:
    """Return the records of one poll."""
    return [
        Record(batch.partition, int(offset), key, value, headers, float(time))
        for batch in reader.poll(max_records, POLL_SECONDS)
        for offset, key, value, headers, time in zip(
            batch.offsets,
            batch.keys,
            batch.values,
            batch.headers or [()] * len(batch),
            batch.append_times,
            strict=True,
        )
    ]


def read(reader: Reader, count: int, max_records: int = 1000) -> list[Record]:
    """Poll until `count` records have come."""
    records: list[Record] = []
    for _ in range(PATIENCE_POLLS):
        records += poll_records(reader, max_records)
        if len(records) >= count:
            break
    assert len(records) == count
    return records


def values(records: Sequence[Record]) -> list[bytes | None]:
    """Return the values alone."""
    return [record.value for record in records]


def numbered(count: int, partition: int | None = 0, *, start: int = 0) -> list[Outgoing]:
    """Return records with the values ``b"0"``, ``b"1"``, …."""
    return [
        Outgoing(b"key-%d" % number, b"%d" % number, partition=partition)
        for number in range(start, start + count)
    ]


class RecordingListener:
    """Writes down what it is told, and seeks where it should."""

    def __init__(self, seeks: dict[int, int] | None = None) -> None:
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.reader: Reader | None = None
        self.seeks = seeks or {}

    def assigned(self, partitions: Sequence[int]) -> None:
        self.calls.append(("assigned", tuple(partitions)))
        for partition, offset in self.seeks.items():
            assert self.reader is not None
            self.reader.seek(partition, offset)

    def revoked(self, partitions: Sequence[int]) -> None:
        self.calls.append(("revoked", tuple(partitions)))

    def lost(self, partitions: Sequence[int]) -> None:
        self.calls.append(("lost", tuple(partitions)))


class LogContract:
    """The cases; a subclass provides the log."""

    @pytest.fixture
    def log_factory(self) -> Iterator[LogFactory]:
        """Override: yield a function that opens one more client of the same log."""
        raise NotImplementedError

    def expire(self, log: Log, clock: Clock, topic: str) -> None:
        """Override: make every record that `topic` holds now fall off retention."""
        raise NotImplementedError

    def settle(self, log: Log, clock: Clock, topic: str) -> None:
        """Override: bring compaction to where no key has two records, but for the newest few.

        May append records with the key ``b"filler"`` to every partition.
        """
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> Clock:
        """Override to move time by hand."""
        return SystemClock()

    @pytest.fixture
    def log(self, log_factory: LogFactory) -> Iterator[Log]:
        log = log_factory()
        yield log
        log.close()

    @pytest.fixture
    def topic(self, log: Log) -> str:
        """Create a topic with three partitions that keeps everything."""
        return self.create(log, partitions=3)

    def create(
        self,
        log: Log,
        *,
        partitions: int = 1,
        compacted: bool = False,
        retention_seconds: float | None = None,
    ) -> str:
        """Create a topic with a name of its own."""
        name = f"contract.{uuid.uuid4().hex}"
        log.create_topic(
            TopicSpec(
                name=name,
                partitions=partitions,
                compacted=compacted,
                retention_seconds=retention_seconds,
            )
        )
        return name

    # Topics

    def test_creating_a_topic_again_with_the_same_settings_does_nothing(self, log: Log) -> None:
        spec = TopicSpec(name=f"contract.{uuid.uuid4().hex}", partitions=2, compacted=True)
        log.create_topic(spec)
        log.writer(spec.name).append([Outgoing(b"k", b"v", partition=1)])
        log.create_topic(spec)
        assert log.end_offsets(spec.name) == {0: 0, 1: 1}

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("partitions", 4), ("compacted", True), ("retention_seconds", 60.0)],
    )
    def test_creating_a_topic_with_other_settings_names_the_setting(
        self, log: Log, topic: str, setting: str, value: object
    ) -> None:
        settings: dict[str, object] = {"name": topic, "partitions": 3, setting: value}
        with pytest.raises(TopicMismatchError, match=setting):
            log.create_topic(TopicSpec(**settings))  # type: ignore[arg-type] # parametrised
        assert log.topics()[topic].partitions == 3

    def test_an_id_tells_a_topic_from_every_other_one(self, log: Log, topic: str) -> None:
        """It is the same for every client, and a topic that does not exist has none."""
        other = f"{topic}-other"
        log.create_topic(TopicSpec(name=other))
        found = log.topic_ids([topic, other, f"{topic}-absent"])
        assert set(found) == {topic, other}
        assert None not in found.values()
        assert found[topic] != found[other]
        assert log.topic_ids([topic]) == {topic: found[topic]}
        assert log.topic_ids([]) == {}
        assert log.reader(topic).topic_id == found[topic]

    def test_topics_lists_each_with_its_settings(self, log: Log) -> None:
        specs = [
            TopicSpec(name=f"contract.{uuid.uuid4().hex}", partitions=2),
            TopicSpec(
                name=f"contract.{uuid.uuid4().hex}.dlq",
                compacted=True,
                retention_seconds=86_400.0,
                retention_bytes=1 << 30,
                tombstone_seconds=60.0,
            ),
        ]
        for spec in specs:
            log.create_topic(spec)
        topics = log.topics()
        assert [topics[spec.name] for spec in specs] == specs

    @pytest.mark.parametrize(
        "use",
        [
            lambda log: log.reader("contract.absent"),
            lambda log: log.writer("contract.absent"),
            lambda log: log.start_offsets("contract.absent"),
            lambda log: log.end_offsets("contract.absent"),
            lambda log: log.offsets_at("contract.absent", 0.0),
            lambda log: log.saved_positions("group", "contract.absent"),
            lambda log: log.save_positions("group", "contract.absent", {0: 1}),
            lambda log: log.set_retention("contract.absent", seconds=1.0, size_bytes=None),
        ],
    )
    def test_a_topic_that_does_not_exist_is_named(
        self, log: Log, use: Callable[[Log], object]
    ) -> None:
        with pytest.raises(UnknownTopicError, match=r"contract\.absent"):
            use(log)

    def test_an_empty_topic_starts_and_ends_at_zero(self, log: Log, topic: str) -> None:
        assert log.start_offsets(topic) == log.end_offsets(topic) == {0: 0, 1: 0, 2: 0}

    def test_what_one_client_creates_and_appends_another_reads(
        self, log: Log, topic: str, log_factory: LogFactory
    ) -> None:
        log.writer(topic).append(numbered(3))
        other = log_factory()
        assert values(read(other.reader(topic), 3)) == [b"0", b"1", b"2"]
        assert topic in other.topics()

    def test_a_closed_log_may_be_closed_again(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(1))
        log.close()
        log.close()

    # Appending

    def test_offsets_count_up_from_zero_in_each_partition(self, log: Log, topic: str) -> None:
        writer = log.writer(topic)
        first = writer.append(numbered(2, 0) + numbered(1, 2))
        second = writer.append(numbered(1, 2) + numbered(1, 0))
        assert first == [(0, 0), (0, 1), (2, 0)]
        assert second == [(2, 1), (0, 2)]
        assert log.end_offsets(topic) == {0: 3, 1: 0, 2: 2}

    def test_places_are_returned_in_the_order_of_the_records(self, log: Log, topic: str) -> None:
        records = [Outgoing(b"k", b"%d" % n, partition=n % 3) for n in range(9)]
        places = log.writer(topic).append(records)
        assert places == [(n % 3, n // 3) for n in range(9)]

    def test_appending_nothing_returns_nothing(self, log: Log, topic: str) -> None:
        assert log.writer(topic).append([]) == []

    def test_a_key_goes_where_the_partitioner_says(self, log: Log, topic: str) -> None:
        keys = [b"user-%d" % n for n in range(60)] + [b"", "użytkownik".encode(), b"\x00\xff\xfe"]
        places = log.writer(topic).append([Outgoing(key, b"v") for key in keys])
        assert [partition for partition, _ in places] == [partition_of(key, 3) for key in keys]
        again = log.writer(topic).append([Outgoing(key, b"v") for key in keys[:5]])
        assert [partition for partition, _ in again] == [partition_of(key, 3) for key in keys[:5]]

    def test_records_without_a_key_are_spread(self, log: Log, topic: str) -> None:
        writer = log.writer(topic)
        places = [place for _ in range(30) for place in writer.append([Outgoing(None, b"v")] * 20)]
        counts = [sum(partition == p for partition, _ in places) for p in range(3)]
        assert min(counts) > 0.1 * len(places)

    def test_an_explicit_partition_overrides_the_key(self, log: Log, topic: str) -> None:
        other = (partition_of(b"user-1", 3) + 1) % 3
        places = log.writer(topic).append([Outgoing(b"user-1", b"v", partition=other)])
        assert places == [(other, 0)]

    @pytest.mark.parametrize("partition", [-1, 3])
    def test_a_partition_that_does_not_exist_is_refused_whole(
        self, log: Log, topic: str, partition: int
    ) -> None:
        with pytest.raises(ValueError, match="partition"):
            log.writer(topic).append([*numbered(2), Outgoing(b"k", b"v", partition=partition)])
        assert log.end_offsets(topic) == {0: 0, 1: 0, 2: 0}

    def test_a_compacted_topic_refuses_records_without_a_key(self, log: Log) -> None:
        topic = self.create(log, compacted=True)
        with pytest.raises(ValueError, match="key"):
            log.writer(topic).append([Outgoing(b"k", b"v"), Outgoing(None, b"v")])
        assert log.end_offsets(topic) == {0: 0}

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (b"k", b"v"),
            (b"\x00\xff\x80\n", bytes(range(256))),
            (b"k", b""),
            (b"", b"v"),
            (None, b"v"),
            (b"k", None),
            (None, None),
            (b"k" * 256, b"v" * (1 << 20)),
        ],
        ids=[
            "plain",
            "binary",
            "empty value",
            "empty key",
            "no key",
            "tombstone",
            "nothing",
            "1 MiB",
        ],
    )
    def test_keys_and_values_come_back_byte_for_byte(
        self, log: Log, topic: str, key: bytes | None, value: bytes | None
    ) -> None:
        log.writer(topic).append([Outgoing(key, value, partition=1)])
        (record,) = read(log.reader(topic), 1)
        assert (record.key, record.value, record.headers) == (key, value, ())

    def test_headers_come_back_in_order_with_repeated_names(self, log: Log, topic: str) -> None:
        headers = (("a", b"1"), ("ä", b""), ("a", bytes(range(256))))
        log.writer(topic).append(
            [
                Outgoing(b"k", b"with", headers=headers, partition=0),
                Outgoing(b"k", b"without", partition=0),
                Outgoing(b"k", None, headers=(("why", b"gone"),), partition=0),
            ]
        )
        records = read(log.reader(topic), 3)
        assert [record.headers for record in records] == [headers, (), (("why", b"gone"),)]

    def test_a_large_append_arrives_complete_and_in_order(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(5000, partition=None))
        records = read(log.reader(topic), 5000, max_records=700)
        assert {record.value for record in records} == {b"%d" % n for n in range(5000)}
        for partition in range(3):
            here = [record for record in records if record.partition == partition]
            assert [record.offset for record in here] == list(range(len(here)))
            numbers = [int(record.value or b"") for record in here]
            assert numbers == sorted(numbers)

    def test_append_times_are_the_clock_s_and_never_decrease(
        self, log: Log, topic: str, clock: Clock
    ) -> None:
        writer = log.writer(topic)
        before = clock.time()
        for number in range(5):
            writer.append(numbered(2, start=number))
            clock.sleep(0.01)
        times = [record.append_time for record in read(log.reader(topic), 10)]
        assert times == sorted(times)
        # Kafka stamps whole milliseconds.
        assert before - 0.002 <= times[0] <= times[-1] <= clock.time() + 0.002

    def test_a_closed_writer_refuses_to_append(self, log: Log, topic: str) -> None:
        writer = log.writer(topic)
        writer.close()
        writer.close()
        with pytest.raises(LogError, match="closed"):
            writer.append(numbered(1))

    # Fences

    def test_a_later_writer_locks_out_an_earlier_one_of_the_same_name(
        self, log: Log, topic: str, log_factory: LogFactory
    ) -> None:
        earlier = log.writer(topic, fence="publisher-0")
        earlier.append(numbered(1))
        later = log_factory().writer(topic, fence="publisher-0")
        for _ in range(2):
            with pytest.raises(FencedError):
                earlier.append(numbered(1))
        places = later.append(numbered(1, start=1))
        records = read(log.reader(topic), 2)
        assert values(records) == [b"0", b"1"]
        # A log may take offsets for the ends of fenced appends, so theirs need not be the next.
        assert places == [(0, records[1].offset)]

    def test_writers_of_other_names_or_of_none_are_not_locked_out(
        self, log: Log, topic: str
    ) -> None:
        others = [log.writer(topic, fence="publisher-1"), log.writer(topic)]
        log.writer(topic, fence="publisher-0").append(numbered(1))
        for writer in others:
            writer.append(numbered(1))
        assert values(read(log.reader(topic), 3)) == [b"0", b"0", b"0"]

    # Reading

    def test_a_reader_begins_at_the_start_and_keeps_the_order(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(10))
        reader = log.reader(topic, partitions=[0])
        assert reader.position(0) == 0
        records = read(reader, 10, max_records=3)
        assert [record.offset for record in records] == list(range(10))
        assert reader.position(0) == 10

    def test_what_is_appended_later_is_read_later(self, log: Log, topic: str) -> None:
        writer, reader = log.writer(topic), log.reader(topic)
        for number in range(3):
            writer.append(numbered(1, start=number))
            assert values(read(reader, 1)) == [b"%d" % number]

    def test_a_batch_says_where_it_comes_from_and_where_it_ends(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(4, partition=2))
        reader = log.reader(topic, partitions=[2])
        batches = [batch for _ in range(20) for batch in reader.poll(10, POLL_SECONDS)]
        assert {(batch.topic, batch.partition) for batch in batches} == {(topic, 2)}
        assert sum(len(batch) for batch in batches) == batches[-1].next_offset == 4
        assert all(batch.offsets.dtype == "int64" for batch in batches)
        assert all(batch.append_times.dtype == "float64" for batch in batches)

    @pytest.mark.parametrize("max_records", [1, 7, 100])
    def test_a_poll_returns_at_most_max_records_and_one_batch_per_partition(
        self, log: Log, topic: str, max_records: int
    ) -> None:
        log.writer(topic).append([record for p in range(3) for record in numbered(30, p)])
        reader = log.reader(topic)
        total = 0
        for _ in range(PATIENCE_POLLS):
            batches = reader.poll(max_records, POLL_SECONDS)
            assert sum(len(batch) for batch in batches) <= max_records
            assert len({batch.partition for batch in batches}) == len(batches)
            total += sum(len(batch) for batch in batches)
            if total == 90:
                break
        assert total == 90

    def test_full_partitions_take_turns(self, log: Log, topic: str) -> None:
        log.writer(topic).append([record for p in range(3) for record in numbered(600, p)])
        reader = log.reader(topic)
        counts = {0: 0, 1: 0, 2: 0}
        while max(counts.values()) < 600:
            for record in poll_records(reader, max_records=50):
                counts[record.partition] += 1
        assert min(counts.values()) > 0

    def test_a_poll_of_nothing_ends_after_its_timeout(
        self, log: Log, topic: str, clock: Clock
    ) -> None:
        reader = log.reader(topic)
        began = clock.monotonic()
        assert reader.poll(10, 0.3) == []
        assert clock.monotonic() - began >= 0.299
        assert reader.poll(10, 0.0) == []

    def test_a_reader_reads_only_its_partitions(self, log: Log, topic: str) -> None:
        log.writer(topic).append([record for p in range(3) for record in numbered(2, p)])
        reader = log.reader(topic, partitions=[0, 2])
        assert reader.assignment == (0, 2)
        assert {record.partition for record in read(reader, 4)} == {0, 2}

    def test_a_partition_that_does_not_exist_cannot_be_read(self, log: Log, topic: str) -> None:
        with pytest.raises(ValueError, match="partition"):
            log.reader(topic, partitions=[3])

    def test_two_readers_do_not_disturb_each_other(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(3))
        first, second = log.reader(topic), log.reader(topic)
        assert values(read(first, 3)) == values(read(second, 3))

    def test_seeking_back_reads_again(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(5))
        reader = log.reader(topic, partitions=[0])
        read(reader, 5)
        reader.seek(0, 2)
        assert reader.position(0) == 2
        assert values(read(reader, 3)) == [b"2", b"3", b"4"]

    def test_seeking_forward_skips(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(5))
        reader = log.reader(topic, partitions=[0])
        reader.seek(0, 4)
        assert values(read(reader, 1)) == [b"4"]

    def test_seeking_past_the_end_waits_there(self, log: Log, topic: str) -> None:
        writer, reader = log.writer(topic), log.reader(topic, partitions=[0])
        writer.append(numbered(2))
        reader.seek(0, 4)
        assert poll_records(reader) == []
        assert reader.position(0) == 4
        writer.append(numbered(2, start=2))
        assert poll_records(reader) == []
        writer.append(numbered(1, start=4))
        assert values(read(reader, 1)) == [b"4"]

    def test_seek_concerns_only_what_the_reader_reads(self, log: Log, topic: str) -> None:
        reader = log.reader(topic, partitions=[0])
        with pytest.raises(ValueError, match="1"):
            reader.seek(1, 0)
        with pytest.raises(ValueError, match="-1"):
            reader.seek(0, -1)

    def test_a_paused_partition_is_silent_until_resumed(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(2, 0) + numbered(2, 1))
        reader = log.reader(topic, partitions=[0, 1])
        reader.pause([0])
        assert {record.partition for record in read(reader, 2)} == {1}
        assert poll_records(reader) == []
        assert reader.position(0) == 0
        reader.resume([0])
        assert {record.partition for record in read(reader, 2)} == {0}

    def test_a_closed_reader_refuses_to_poll(self, log: Log, topic: str) -> None:
        reader = log.reader(topic)
        reader.close()
        reader.close()
        with pytest.raises(LogError, match="closed"):
            reader.poll(1, 0.0)

    # Groups and listeners

    def test_saved_positions_belong_to_a_group_and_a_topic(self, log: Log, topic: str) -> None:
        other = self.create(log)
        log.writer(topic).append(numbered(9))
        log.save_positions("trainer", topic, {0: 3, 2: 0})
        log.save_positions("trainer", topic, {0: 4})
        assert log.saved_positions("trainer", topic) == {0: 4, 2: 0}
        assert log.saved_positions("publisher", topic) == {}
        assert log.saved_positions("trainer", other) == {}

    def test_a_group_s_reader_begins_at_the_saved_positions(
        self, log: Log, topic: str, log_factory: LogFactory
    ) -> None:
        log.writer(topic).append(numbered(4, 0) + numbered(2, 1))
        log.save_positions("publisher", topic, {0: 3})
        reader = log_factory().reader(topic, partitions=[0, 1], group="publisher")
        records = read(reader, 3)
        assert sorted((record.partition, record.offset) for record in records) == [
            (0, 3),
            (1, 0),
            (1, 1),
        ]

    def test_reading_saves_nothing(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(3))
        reader = log.reader(topic, group="publisher")
        read(reader, 3)
        reader.close()
        assert log.saved_positions("publisher", topic) == {}

    def test_a_lone_member_of_a_group_reads_every_partition(self, log: Log, topic: str) -> None:
        log.writer(topic).append([record for p in range(3) for record in numbered(1, p)])
        reader = log.reader(topic, group=f"group-{uuid.uuid4().hex}")
        assert {record.partition for record in read(reader, 3)} == {0, 1, 2}
        assert reader.assignment == (0, 1, 2)

    def test_saved_positions_must_make_sense(self, log: Log, topic: str) -> None:
        for positions in ({3: 0}, {0: -1}):
            with pytest.raises(ValueError, match=r"partition|negative"):
                log.save_positions("group", topic, positions)

    @pytest.mark.parametrize("grouped", [True, False])
    def test_the_assignment_is_announced_once_in_the_first_poll(
        self, log: Log, topic: str, grouped: bool
    ) -> None:
        listener = RecordingListener(seeks={1: 2})
        log.writer(topic).append(numbered(3, 1))
        reader = log.reader(
            topic,
            group=f"group-{uuid.uuid4().hex}" if grouped else None,
            listener=listener,
        )
        listener.reader = reader
        assert listener.calls == []
        assert values(read(reader, 1)) == [b"2"]
        poll_records(reader)
        assert listener.calls == [("assigned", (0, 1, 2))]

    def test_lag_is_what_lies_between_a_position_and_the_end(self, log: Log, topic: str) -> None:
        log.writer(topic).append(numbered(5))
        assert lag(log, topic, {0: 2, 1: 0}) == {0: Lag(3), 1: Lag(0)}
        assert lag(log, topic, {0: 7}) == {0: Lag(0, past_end=2)}

    def test_nothing_is_withheld_without_an_open_transaction(self, log: Log, topic: str) -> None:
        log.writer(topic, fence="one").append(numbered(5))
        reader = log.reader(topic)
        for _ in range(1000):  # a transaction's end is written a moment after it is acknowledged
            if log.written_offsets(topic) == log.end_offsets(topic):
                return
            reader.poll(1, 0.01)
        raise AssertionError(log.end_offsets(topic))

    def test_a_busy_partition_does_not_hide_the_end_of_another(self, log: Log, topic: str) -> None:
        log.writer(topic, fence="one").append(numbered(1, 1))
        writer, reader = log.writer(topic), log.reader(topic)
        end = log.end_offsets(topic)[1]
        for _ in range(1000):
            writer.append(numbered(1, 0))
            assert reader.poll(1, 5.0)
            if reader.position(1) == end:
                return
        raise AssertionError(reader.position(1))

    # Times

    def test_offsets_at_finds_the_first_record_at_or_after_a_time(
        self, log: Log, topic: str, clock: Clock
    ) -> None:
        writer = log.writer(topic)
        for number in range(4):
            writer.append(numbered(3, start=3 * number))
            clock.sleep(0.01)
        times = [record.append_time for record in read(log.reader(topic), 12)]
        for offset in (0, 3, 6, 9):
            assert log.offsets_at(topic, times[offset])[0] == offset
        assert log.offsets_at(topic, times[5] + 0.002)[0] == 6
        assert log.offsets_at(topic, 0.0) == {0: 0, 1: 0, 2: 0}
        assert log.offsets_at(topic, times[-1] + 1.0) == {0: 12, 1: 0, 2: 0}

    # Retention

    def test_retention_can_be_changed(self, log: Log) -> None:
        """The new settings are the topic's own from then on; what it holds stays."""
        topic = self.create(log, partitions=2, retention_seconds=3600.0)
        log.writer(topic).append(numbered(3))
        for seconds, size in ((7200.0, 1 << 30), (None, None), (1800.0, None)):
            log.set_retention(topic, seconds=seconds, size_bytes=size)
            wanted = TopicSpec(
                name=topic, partitions=2, retention_seconds=seconds, retention_bytes=size
            )
            for _ in range(PATIENCE_POLLS):  # a cluster tells its brokers one after the other
                if log.topics()[topic] == wanted:
                    break
                SystemClock().sleep(POLL_SECONDS)
            assert log.topics()[topic] == wanted
            log.create_topic(wanted)
        assert log.end_offsets(topic) == {0: 3, 1: 0}

    def test_what_expired_moves_the_start_and_never_the_end(self, log: Log, clock: Clock) -> None:
        topic = self.create(log, partitions=2, retention_seconds=3600.0)
        log.writer(topic).append(numbered(5))
        self.expire(log, clock, topic)
        assert log.start_offsets(topic) == log.end_offsets(topic) == {0: 5, 1: 0}
        assert log.writer(topic).append(numbered(1)) == [(0, 5)]
        assert [record.offset for record in read(log.reader(topic), 1)] == [5]

    def test_a_reader_that_retention_overtook_is_told_until_it_seeks(
        self, log: Log, clock: Clock
    ) -> None:
        topic = self.create(log, partitions=2, retention_seconds=3600.0)
        writer, reader = log.writer(topic), log.reader(topic)
        writer.append(numbered(5))
        self.expire(log, clock, topic)
        writer.append(numbered(2, 0) + numbered(1, 1))
        for _ in range(2):
            with pytest.raises(OffsetExpiredError) as caught:
                read(reader, 8)
            assert (caught.value.topic, caught.value.partition) == (topic, 0)
            assert (caught.value.offset, caught.value.start_offset) == (0, 5)
        reader.seek(0, 5)
        assert sum(record.partition == 0 for record in poll_all(reader)) == 2

    def test_a_saved_position_that_expired_is_reported(self, log: Log, clock: Clock) -> None:
        topic = self.create(log, retention_seconds=3600.0)
        log.writer(topic).append(numbered(5))
        log.save_positions("group", topic, {0: 3})
        self.expire(log, clock, topic)
        with pytest.raises(OffsetExpiredError):
            read(log.reader(topic, partitions=[0], group="group"), 1)

    # Compaction

    def test_compaction_keeps_each_key_s_newest_record_in_order(
        self, log: Log, clock: Clock
    ) -> None:
        topic = self.create(log, partitions=2, compacted=True)
        writer = log.writer(topic)
        for turn in range(10):
            writer.append(
                [
                    Outgoing(b"key-%d" % n, b"%d" % turn, partition=n % 2)
                    for n in range(20)
                    if turn == 0 or n % 3
                ]
            )
        self.settle(log, clock, topic)
        records = [record for record in poll_all(log.reader(topic)) if record.key != b"filler"]
        assert {record.key: record.value for record in records} == {
            b"key-%d" % n: b"9" if n % 3 else b"0" for n in range(20)
        }
        assert len(records) == 20
        for partition in range(2):
            offsets = [record.offset for record in records if record.partition == partition]
            assert offsets == sorted(offsets)

    def test_compaction_keeps_a_new_tombstone_and_removes_what_it_buried(
        self, log: Log, clock: Clock
    ) -> None:
        topic = self.create(log, compacted=True)
        log.writer(topic).append([Outgoing(b"user", b"list"), Outgoing(b"user", None)])
        self.settle(log, clock, topic)
        records = [record for record in poll_all(log.reader(topic)) if record.key == b"user"]
        assert values(records) == [None]

    def test_a_position_in_a_gap_reads_on_behind_it(self, log: Log, clock: Clock) -> None:
        topic = self.create(log, compacted=True)
        writer, reader = log.writer(topic), log.reader(topic)
        writer.append([Outgoing(b"user", b"%d" % n) for n in range(50)])
        writer.append([Outgoing(b"other", b"last")])
        end = log.end_offsets(topic)
        self.settle(log, clock, topic)
        assert log.end_offsets(topic)[0] >= end[0]
        for offset in (0, 25):
            reader.seek(0, offset)
            records = [record for record in poll_all(reader) if record.key != b"filler"]
            assert [(record.offset, record.value) for record in records] == [
                (49, b"49"),
                (50, b"last"),
            ]
        assert reader.position(0) == log.end_offsets(topic)[0]


def poll_all(reader: Reader) -> list[Record]:
    """Poll until nothing has come for a while."""
    records: list[Record] = []
    empty = 0
    while empty < 3:
        some = poll_records(reader)
        empty = 0 if some else empty + 1
        records += some
    return records
