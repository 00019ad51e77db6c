"""kafka-python's clients, opened with the same settings and repairs."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.net.compat import KafkaNetClient
from kafka.net.selector import NetworkSelector

from stream.log.kafka.cluster.reachability import Reachability
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.workarounds.broker_readiness import PatientConnections
from stream.log.kafka.workarounds.checksums import hasten_checksums
from stream.log.kafka.workarounds.closed_sockets import closing_sockets
from stream.log.kafka.workarounds.connections import traced_connections
from stream.log.kafka.workarounds.empty_records import Boxed
from stream.log.kafka.workarounds.failed_opening import no_leftovers
from stream.log.kafka.workarounds.header_names import read_any_header_name
from stream.log.kafka.workarounds.topic_creation import never_create_topics

T = TypeVar("T")


class Clients:
    """Clients of one cluster, all with the same settings.

    Parameters
    ----------
    bootstrap_servers
        ``host:port[,host:port…]``.
    settings
        How to connect.
    brokers
        Told which brokers can be reached.

    Raises
    ------
    LogError
        A secret cannot be read.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        settings: KafkaSettings,
        brokers: Reachability | None = None,
    ) -> None:
        self._brokers = brokers or Reachability()
        self._bootstrap_servers = bootstrap_servers
        self._settings = settings
        self._arguments()
        hasten_checksums()
        read_any_header_name()

    def admin(self, timeout_seconds: float) -> KafkaAdminClient:
        """Open one that has found the cluster within `timeout_seconds`."""
        arguments = self._arguments()
        arguments["bootstrap_timeout_ms"] = max(1, round(1000 * timeout_seconds))
        return self._open(KafkaAdminClient, arguments)

    def consumer(self, topic: str, group: str | None) -> KafkaConsumer:
        """Open one that is assigned nothing; with `group` one that will be a member of it."""
        arguments = self._arguments() | self._settings.consumer_arguments()
        if group is not None:
            arguments["group_id"] = group
            # Moves few partitions, and disturbs none of the others.
            arguments["partition_assignment_strategy"] = [CooperativeStickyAssignor]
            if self._settings.group_instance_id:
                # One process may be a member with several topics.
                arguments["group_instance_id"] = f"{self._settings.group_instance_id}-{topic}"
        return self._open(KafkaConsumer, arguments)

    def producer(self, transactional_id: str | None = None) -> KafkaProducer:
        """Open an idempotent one, or a transactional one; it takes `Boxed` keys and values."""
        arguments = self._arguments() | self._settings.producer_arguments()
        arguments |= {
            "transactional_id": transactional_id,
            "key_serializer": Boxed(),
            "value_serializer": Boxed(),
        }
        return self._open(KafkaProducer, arguments, PatientConnections)

    def _arguments(self) -> dict[str, Any]:
        return self._settings.client_arguments(self._bootstrap_servers) | closing_sockets()

    def _open(
        self,
        kind: Callable[..., T],
        arguments: dict[str, Any],
        connections_kind: type[KafkaNetClient] = KafkaNetClient,
    ) -> T:
        """Return an open client; where that fails, say why and leave nothing behind."""
        connections: list[KafkaNetClient] = []

        def connect(**configs: Any) -> KafkaNetClient:
            net = NetworkSelector(**configs)
            manager = traced_connections(net, self._brokers, **configs)
            connections.append(connections_kind(net=net, manager=manager, **configs))
            never_create_topics(connections[-1])
            return connections[-1]

        with no_leftovers(connections, arguments.get("ssl_context"), self._brokers):
            return kind(**arguments, kafka_client=connect)
