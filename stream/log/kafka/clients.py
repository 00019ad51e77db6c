"""Opens kafka-python's clients."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.net.compat import KafkaNetClient

from stream.log.kafka.producing import Boxed
from stream.log.kafka.settings import KafkaSettings
from stream.log.kafka.sockets import DIRECT

T = TypeVar("T")


class Clients:
    """Clients of one cluster, all with the same settings.

    Parameters
    ----------
    bootstrap_servers
        ``host:port[,host:port…]``.
    settings
        How to connect.

    Raises
    ------
    LogError
        A secret cannot be read.
    """

    def __init__(self, bootstrap_servers: str, settings: KafkaSettings) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._settings = settings
        self._arguments()

    def admin(self, timeout_seconds: float) -> KafkaAdminClient:
        """Open one that has found the cluster within `timeout_seconds`."""
        arguments = self._arguments()
        arguments["bootstrap_timeout_ms"] = max(1, round(1000 * timeout_seconds))
        return _opened(KafkaAdminClient, arguments)

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
        return _opened(KafkaConsumer, arguments)

    def producer(self, transactional_id: str | None = None) -> KafkaProducer:
        """Open an idempotent one, or a transactional one; it takes `Boxed` keys and values."""
        arguments = self._arguments() | self._settings.producer_arguments()
        arguments |= {
            "transactional_id": transactional_id,
            "key_serializer": Boxed(),
            "value_serializer": Boxed(),
        }
        return _opened(KafkaProducer, arguments)

    def _arguments(self) -> dict[str, Any]:
        return self._settings.client_arguments(self._bootstrap_servers) | {"proxy_url": DIRECT}


def _opened(kind: Callable[..., T], arguments: dict[str, Any]) -> T:
    """Return an open client; where that fails, leave no thread and no file behind.

    kafka-python's clients start a thread before they look for the cluster, and forget it where
    they find none.
    """
    connections: list[KafkaNetClient] = []

    def connect(**configs: Any) -> KafkaNetClient:
        connections.append(KafkaNetClient(**configs))
        return connections[-1]

    try:
        return kind(**arguments, kafka_client=connect)
    except BaseException:
        for connection in connections:
            with suppress(Exception):  # it never was of any use
                connection.close()
        raise
