"""The event log on Apache Kafka."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from stream.clock import Clock
from stream.errors import LogError
from stream.log.checks import check_offsets, check_partitions
from stream.log.interface import RebalanceListener, TopicSpec
from stream.log.kafka.cluster.admin import KafkaAdmin
from stream.log.kafka.cluster.clients import Clients
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.cluster.topics import is_compacted, largest_record_bytes
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.reading.reader import KafkaReader
from stream.log.kafka.reading.session import Source
from stream.log.kafka.writing.writer import Destination, FencedKafkaWriter, KafkaWriter
from stream.log.placement import Placement

_IDS_SECONDS: Final = 5.0  # asked now and then, beside what matters more while brokers are away


class KafkaLog:
    """A `Log` in a Kafka cluster.

    Readers see only what is committed; `end_offsets` is where that ends. Members of a group share
    a topic's partitions, and only members may save the positions of a group that has any.

    Parameters
    ----------
    bootstrap_servers
        ``host:port[,host:port…]``: some of the brokers.
    clock
        Times what waits. What is appended is stamped by the broker.
    settings
        How to connect.
    """

    def __init__(
        self, bootstrap_servers: str, clock: Clock, settings: KafkaSettings | None = None
    ) -> None:
        self._clock = clock
        self._settings = settings or KafkaSettings()
        self.figures = KafkaFigures()
        self._clients = Clients(bootstrap_servers, self._settings, self.figures.brokers)
        self._admin = KafkaAdmin(self._clients, self._settings, clock, self.figures)
        self._readers: list[KafkaReader] = []
        self._writers: list[KafkaWriter] = []
        self._closed = False

    def create_topic(self, spec: TopicSpec) -> None:
        """Create a topic; does nothing where one exists that keeps the same promises."""
        self._open_admin.create(spec)

    def set_retention(self, topic: str, *, seconds: float | None, size_bytes: int | None) -> None:
        """Change how long a topic keeps its records; brokers delete whole segments, with time."""
        self._open_admin.set_retention(topic, seconds=seconds, size_bytes=size_bytes)

    def topics(self) -> dict[str, TopicSpec]:
        """Return the settings of every topic whose name could be ours."""
        return self._open_admin.topics()

    def topic_ids(self, topics: Collection[str]) -> dict[str, str | None]:
        """Return the topics' ids (KIP-516); None from brokers before Kafka 2.8."""
        patience = min(_IDS_SECONDS, self._settings.timeout_seconds)
        return self._open_admin.topic_ids(topics, patience)

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> KafkaReader:
        """Open a reader at the group's saved positions, or at the start where there are none."""
        count = self._open_admin.partitions(topic)
        if partitions is None and group is None:
            partitions = range(count)
        check_partitions(topic, count, partitions or ())
        member = partitions is None
        source = Source(
            topic=topic,
            topic_id=self._admin.topic_id(topic),
            compacted=is_compacted(self._admin.configs(topic)),
            group=group,
            admin=self._admin,
            open_consumer=lambda: self._clients.consumer(topic, group if member else None),
            timeout_seconds=self._settings.timeout_seconds,
            session_timeout_seconds=self._settings.session_timeout_seconds,
        )
        reader = KafkaReader(source, partitions, self._clock, self.figures, listener)
        self._readers = [*(one for one in self._readers if not one.closed), reader]
        return reader

    def writer(self, topic: str, *, fence: str | None = None) -> KafkaWriter:
        """Open a writer; one with `fence` locks out every earlier one of the same name."""
        admin = self._open_admin
        configs, partitions = admin.configs(topic), admin.partitions(topic)
        # Kafka knows one space of names for the whole cluster, the interface one per topic.
        name = None if fence is None else f"{topic}.{fence}"
        destination = Destination(
            topic=topic,
            placement=Placement(topic, partitions, compacted=is_compacted(configs)),
            largest_bytes=largest_record_bytes(configs, self._settings),
            open_producer=lambda: self._clients.producer(name),
            timeout_seconds=self._settings.timeout_seconds,
        )
        kind = KafkaWriter if fence is None else FencedKafkaWriter
        writer = kind(destination, self._clock, self.figures)
        self._writers = [*(one for one in self._writers if not one.closed), writer]
        return writer

    def start_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's oldest offset that may still be read."""
        return self._open_admin.start_offsets(topic)

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's last stable offset: what is below it is readable."""
        return self._open_admin.end_offsets(topic)

    def written_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's high watermark, which an open transaction does not hold back."""
        return self._open_admin.written_offsets(topic)

    def offsets_at(self, topic: str, time: float) -> dict[int, int]:
        """Return each partition's first offset appended at or after `time` (else its end)."""
        return self._open_admin.offsets_at(topic, time)

    def saved_positions(self, group: str, topic: str) -> dict[int, int]:
        """Return the positions that `group` committed, partition by partition."""
        return self._open_admin.saved_positions(group, topic)

    def save_positions(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        """Commit for `group` the offsets to read next; durable on return.

        Where this log has a reader that is a member of the group, the commit is the member's, so
        one that has lost its partitions is refused.

        Raises
        ------
        LogUnavailableError
            The group is being shared out anew: poll, then save what is still owned.
        LogError
            The group has members elsewhere and none here.
        """
        count = self._open_admin.partitions(topic)
        check_partitions(topic, count, positions)
        check_offsets(positions.values())
        if not positions:
            return
        for reader in self._readers:
            if (reader.group, reader.topic) == (group, topic):
                reader.save(positions)
                return
        self._admin.save_positions(group, topic, positions)

    def heartbeat_age_seconds(self) -> float | None:
        """Return the oldest answer to a member's heartbeat; None: no reader is a member."""
        ages = [age for reader in self._readers if (age := reader.heartbeat_age_seconds())]
        return max(ages, default=None)

    def close(self) -> None:
        """Let go of everything; a closed log may be closed again."""
        self._closed = True
        for reader in self._readers:
            reader.close()
        for writer in self._writers:
            writer.close()
        self._admin.close()

    @property
    def _open_admin(self) -> KafkaAdmin:
        if self._closed:
            raise LogError("this log was closed")
        return self._admin
