"""Questions to the cluster, each bounded in time and tried again while trouble may pass."""

import base64
import math
import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from kafka import (
    IsolationLevel,
    KafkaAdminClient,
    OffsetAndMetadata,
    OffsetSpec,
    TopicPartition,
)
from kafka.admin import ConfigResource, ConfigResourceType, OffsetTimestamp
from kafka.errors import (
    CoordinatorLoadInProgressError,
    InvalidReplicationFactorError,
    KafkaError,
    NoError,
    NotLeaderForPartitionError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
    for_code,
)

from stream.clock import Clock
from stream.errors import LogError, TopicMismatchError, UnknownTopicError
from stream.log.interface import TOPIC_NAME, TopicSpec
from stream.log.kafka.cluster.clients import Clients
from stream.log.kafka.cluster.failures import is_passing, log_error
from stream.log.kafka.cluster.patience import Patience
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.cluster.topics import (
    breaches,
    retention_configs,
    topic_settings,
    topic_spec,
    way_out,
)
from stream.log.kafka.cluster.trouble_counts import KafkaFigures

T = TypeVar("T")

_NO_ID: Final = uuid.UUID(int=0)
_UNKNOWN_TOPIC_SECONDS: Final = 3.0  # so long a broker may not know yet what another one created


class KafkaAdmin:
    """The cluster's topics, offsets and groups; safe for several threads.

    Parameters
    ----------
    clients
        Opens the client.
    settings
        How long a call may take, and what topics are created with.
    clock
        Times what waits.
    figures
        Counts retries and reconnects.
    """

    def __init__(
        self, clients: Clients, settings: KafkaSettings, clock: Clock, figures: KafkaFigures
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._clock = clock
        self._figures = figures
        self._opening = threading.Lock()
        self._client: KafkaAdminClient | None = None
        self._partitions: dict[str, int] = {}
        self._answered = False

    def partitions(self, topic: str) -> int:
        """Return how many partitions `topic` has.

        Raises
        ------
        UnknownTopicError
            It does not exist.
        """
        count = self._partitions.get(topic)
        if count is None:
            count = self._call(f"find {topic}", lambda client: _partitions(client, topic))
            if count is None:
                raise UnknownTopicError(
                    f"there is no topic {topic}: create it, or correct its name"
                )
            self._partitions[topic] = count
        return count

    def create(self, spec: TopicSpec) -> None:
        """Create a topic, or check the settings of the one that exists."""
        doing = f"create {spec.name}"
        if self._call(doing, lambda client: _partitions(client, spec.name)) is None:
            self._call(doing, lambda client: _create(client, spec, self._settings))
        found, configs = self._call(doing, lambda client: _described(client, spec.name))
        clauses = breaches(spec, found, configs)
        if clauses:
            raise TopicMismatchError(
                f"topic {spec.name} exists with other settings: {'; '.join(clauses)}. "
                f"{way_out(spec, found)}"
            )
        self._partitions[spec.name] = found.partitions

    def set_retention(self, topic: str, *, seconds: float | None, size_bytes: int | None) -> None:
        """Change a topic's retention and what follows from it."""
        self.partitions(topic)

        def alter(client: KafkaAdminClient) -> None:
            found, _ = _described(client, topic)
            wanted = replace(found, retention_seconds=seconds, retention_bytes=size_bytes)
            configs = retention_configs(wanted, self._settings)
            client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])

        self._call(f"change the retention of {topic}", alter)

    def topics(self) -> dict[str, TopicSpec]:
        """Return the settings of every topic whose name could be ours."""

        def describe(client: KafkaAdminClient) -> dict[str, TopicSpec]:
            names = [name for name in client.list_topics() if TOPIC_NAME.fullmatch(name)]
            return {name: _described(client, name)[0] for name in sorted(names)}

        return self._call("list the topics", describe)

    def topic_ids(
        self, topics: Collection[str], timeout_seconds: float | None = None
    ) -> dict[str, str | None]:
        """Return the ids of those of `topics` that exist; None: the brokers give none."""

        def ask(client: KafkaAdminClient) -> dict[str, str | None]:
            return {
                answer["name"]: _given_id(answer.get("topic_id"))
                for answer in client.describe_topics(sorted(topics))
                if _exists(answer)
            }

        return self._call("find the topics' ids", ask, timeout_seconds) if topics else {}

    def topic_id(self, topic: str) -> str | None:
        """Return the id of a topic; None: the brokers give none.

        Raises
        ------
        LogUnavailableError
            No broker that was asked knows the topic.
        """

        def ask(client: KafkaAdminClient) -> str | None:
            answer = _description(client, topic)
            if answer is None:
                raise UnknownTopicOrPartitionError(topic)
            return _given_id(answer.get("topic_id"))

        return self._call(f"find the id of {topic}", ask)

    def configs(self, topic: str) -> Mapping[str, str]:
        """Return the effective configuration of `topic`."""
        self.partitions(topic)
        _, configs = self._call(f"find {topic}", lambda client: _described(client, topic))
        return configs

    def start_offsets(self, topic: str, timeout_seconds: float | None = None) -> dict[int, int]:
        """Return each partition's oldest offset."""
        return self._offsets(topic, OffsetSpec.EARLIEST, timeout_seconds)

    def end_offsets(self, topic: str, timeout_seconds: float | None = None) -> dict[int, int]:
        """Return each partition's last stable offset."""
        return self._offsets(topic, OffsetSpec.LATEST, timeout_seconds)

    def written_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's high watermark."""
        return self._offsets(topic, OffsetSpec.LATEST, isolation=IsolationLevel.READ_UNCOMMITTED)

    def offsets_at(self, topic: str, time: float) -> dict[int, int]:
        """Return each partition's first offset appended at or after `time`, else its end."""
        # A float of seconds is a hair off the whole milliseconds that it was made from.
        milliseconds = max(0, math.ceil(time * 1000 - 1e-3))
        ends = self.end_offsets(topic)
        found = self._offsets(topic, OffsetTimestamp(milliseconds))
        return {p: end if found[p] < 0 else min(found[p], end) for p, end in ends.items()}

    def saved_positions(self, group: str, topic: str) -> dict[int, int]:
        """Return what `group` committed of `topic`."""
        asked = [TopicPartition(topic, p) for p in range(self.partitions(topic))]
        answer = self._call(
            f"read the positions of group {group}",
            lambda client: client.list_group_offsets({group: asked}),
        )
        return {
            place.partition: committed.offset
            for place, committed in sorted(answer[group].items())
            if committed.offset >= 0
        }

    def members(self, group: str) -> dict[str, str | None]:
        """Return the members of `group`: their ids and static names."""

        def ask(client: KafkaAdminClient) -> dict[str, str | None]:
            answer = client.describe_groups([group])[group]
            return {
                member["member_id"]: member["group_instance_id"] for member in answer["members"]
            }

        return self._call(f"find the members of group {group}", ask)

    def save_positions(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        """Commit `positions` for a group without members.

        Raises
        ------
        LogError
            The group has members, which alone may commit for it.
        """
        offsets = {
            TopicPartition(topic, p): OffsetAndMetadata(offset, "", -1)
            for p, offset in positions.items()
        }

        def commit(client: KafkaAdminClient) -> None:
            answer: Mapping[TopicPartition, type[KafkaError]] = client.alter_group_offsets(
                group, offsets
            )
            for error in answer.values():
                if error is UnknownMemberIdError:
                    raise LogError(
                        f"group {group} has members, so only they may save its positions: stop "
                        "them first, or use another group name"
                    )
                if error is not NoError:
                    raise error

        self._call(f"save the positions of group {group}", commit)

    def close(self) -> None:
        """Let go of the connections."""
        with self._opening:
            client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # it is going away, whatever it says
                client.close()

    def _offsets(
        self,
        topic: str,
        spec: object,
        timeout_seconds: float | None = None,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[int, int]:
        asked = {TopicPartition(topic, p): spec for p in range(self.partitions(topic))}

        def ask(client: KafkaAdminClient) -> dict[int, int]:
            answer = client.list_partition_offsets(asked, isolation_level=isolation)
            return {place.partition: found.offset for place, found in sorted(answer.items())}

        return self._call(f"find the offsets of {topic}", ask, timeout_seconds)

    def _call(
        self,
        doing: str,
        action: Callable[[KafkaAdminClient], T],
        timeout_seconds: float | None = None,
    ) -> T:
        """Try `action` until it succeeds, fails for good, or its time is up."""
        budget = self._settings.timeout_seconds if timeout_seconds is None else timeout_seconds
        patience = Patience(
            self._clock, budget, first=not self._answered, brokers=self._figures.brokers
        )
        while True:
            client: KafkaAdminClient | None = None
            try:
                client = self._connected(patience.until)
                result = action(client)
            except RuntimeError:
                if client is self._client:
                    raise
                continue  # another thread has given up this client: the next one is new
            except (KafkaError, OSError) as error:
                if isinstance(error, UnknownTopicOrPartitionError):
                    patience.shorten(_UNKNOWN_TOPIC_SECONDS)
                if not is_passing(error) or not patience.lasts(error, doing):
                    # A client that lost its cluster is not worth keeping.
                    self.close()
                    raise log_error(error, doing, self._figures.brokers) from error
            else:
                self._answered = True
                return result
            self._figures.count("retries")
            patience.pause()

    def _connected(self, deadline: float) -> KafkaAdminClient:
        with self._opening:
            if self._client is None:
                self._client = self._clients.admin(max(0.1, deadline - self._clock.monotonic()))
            return self._client


def _partitions(client: KafkaAdminClient, topic: str) -> int | None:
    """Return the number of partitions; None: there is no such topic."""
    answer = _description(client, topic)
    return None if answer is None else len(answer["partitions"])


def _description(client: KafkaAdminClient, topic: str) -> Mapping[str, Any] | None:
    """Return what the cluster says of a topic; None: there is no such topic."""
    (answer,) = client.describe_topics([topic])
    return answer if _exists(answer) else None


def _exists(answer: Mapping[str, Any]) -> bool:
    """Return whether a described topic exists; raise what else the cluster says of it."""
    error = for_code(answer["error_code"])
    if error not in (NoError, UnknownTopicOrPartitionError):
        raise error
    return error is NoError


def _given_id(topic_id: Any) -> str | None:
    """Return a topic's id as Kafka's own tools write it; None for none, which may be zeros."""
    given = uuid.UUID(str(topic_id)) if topic_id else _NO_ID
    return None if given == _NO_ID else base64.urlsafe_b64encode(given.bytes).decode().rstrip("=")


def _create(client: KafkaAdminClient, spec: TopicSpec, settings: KafkaSettings) -> None:
    with suppress(TopicAlreadyExistsError):  # another process was faster
        try:
            client.create_topics({spec.name: topic_settings(spec, settings)})
        except InvalidReplicationFactorError as error:
            raise LogError(
                f"{spec.name} cannot have {settings.replication_factor} replicas ({error}): set "
                "replication_factor in [kafka] to at most the number of brokers"
            ) from error


def _described(client: KafkaAdminClient, topic: str) -> tuple[TopicSpec, dict[str, str]]:
    """Return a topic's settings and its effective configuration."""
    answer = _description(client, topic)
    if answer is None:
        raise CoordinatorLoadInProgressError  # created, but not every broker knows it yet
    partitions: Sequence[Mapping[str, Any]] = answer["partitions"]
    if any(partition["leader_id"] < 0 for partition in partitions):
        raise NotLeaderForPartitionError
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    described = client.describe_configs([resource], config_filter="all")["topic"][topic]
    if not described:
        raise CoordinatorLoadInProgressError  # the broker that answered does not know it yet
    configs = {name: str(entry["value"]) for name, entry in described.items()}
    return topic_spec(topic, len(partitions), configs), configs
