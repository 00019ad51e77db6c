"""Opens kafka-python's clients."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.selector import NetworkSelector

from stream.errors import LogError
from stream.log.kafka.cluster.connections import TracedConnections
from stream.log.kafka.cluster.failures import is_passing
from stream.log.kafka.cluster.reachability import Reachability
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.workarounds.sockets import DIRECT
from stream.log.kafka.workarounds.tls import TlsContext
from stream.log.kafka.writing.producing import Boxed

T = TypeVar("T")

_CONNECTION_LOG: Final = logging.getLogger("kafka.net.manager")


class PatientConnections(KafkaNetClient):  # type: ignore[misc] # kafka-python is untyped
    """Tells a producer that a broker is not ready, which it then waits for.

    An error makes it forget the transactional request that it was about to send.
    """

    def await_ready(self, node_id: str | int, timeout_ms: float = 30_000) -> bool:
        """Return whether the broker can be sent to, within `timeout_ms`."""
        try:
            return bool(super().await_ready(node_id, timeout_ms))
        except KafkaConnectionError:
            return False


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

    def admin(self, timeout_seconds: float) -> KafkaAdminClient:
        """Open one that has found the cluster within `timeout_seconds`."""
        arguments = self._arguments()
        arguments["bootstrap_timeout_ms"] = max(1, round(1000 * timeout_seconds))
        return _opened(KafkaAdminClient, arguments, self._brokers)

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
        return _opened(KafkaConsumer, arguments, self._brokers)

    def producer(self, transactional_id: str | None = None) -> KafkaProducer:
        """Open an idempotent one, or a transactional one; it takes `Boxed` keys and values."""
        arguments = self._arguments() | self._settings.producer_arguments()
        arguments |= {
            "transactional_id": transactional_id,
            "key_serializer": Boxed(),
            "value_serializer": Boxed(),
        }
        return _opened(KafkaProducer, arguments, self._brokers, PatientConnections)

    def _arguments(self) -> dict[str, Any]:
        return self._settings.client_arguments(self._bootstrap_servers) | {"proxy_url": DIRECT}


def never_create_topics(connections: KafkaNetClient) -> None:
    """Let no question about a topic create it with the cluster's defaults.

    kafka-python 3.0.12 takes `allow_auto_create_topics`, but it gets lost on the way to where the
    question is put. `test_the_library_still_forgets_not_to_create_topics` tells when this can go.
    """
    connections.cluster.config["allow_auto_create_topics"] = False


class _Causes(logging.Handler):
    """Remembers why kafka-python could not connect: it logs that, and raises a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.best: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error that is reported; a refusal is worth more than what may pass."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if (
                isinstance(argument, KafkaError)
                and not isinstance(argument, KafkaTimeoutError)
                and (self.best is None or is_passing(self.best))
            ):
                self.best = argument


def _opened(
    kind: Callable[..., T],
    arguments: dict[str, Any],
    brokers: Reachability,
    connections_kind: type[KafkaNetClient] = KafkaNetClient,
) -> T:
    """Return an open client; where that fails, say why and leave no thread and no file behind.

    kafka-python's clients start a thread before they look for the cluster, and forget it where
    they find none.
    """
    connections: list[KafkaNetClient] = []
    causes = _Causes()

    def connect(**configs: Any) -> KafkaNetClient:
        net = NetworkSelector(**configs)
        manager = TracedConnections(net, brokers, **configs)
        connections.append(connections_kind(net=net, manager=manager, **configs))
        never_create_topics(connections[-1])
        return connections[-1]

    _CONNECTION_LOG.addHandler(causes)
    try:
        return kind(**arguments, kafka_client=connect)
    except BaseException as error:
        for connection in connections:
            with suppress(Exception):  # it never was of any use
                connection.close()
        if isinstance(error, KafkaError):
            raise _explained(error, causes.best, arguments.get("ssl_context"), brokers) from error
        raise
    finally:
        _CONNECTION_LOG.removeHandler(causes)


def _explained(
    error: KafkaError,
    cause: KafkaError | None,
    context: TlsContext | None,
    brokers: Reachability,
) -> KafkaError | LogError:
    """Return what to raise for a cluster that was not found."""
    if context is not None and context.failure is not None:
        return LogError(
            f"no broker accepts TLS with us ({brokers.told() or context.failure}): correct "
            "security_protocol, ssl_ca_file, ssl_certificate_file or the hosts' names in [kafka]"
        )
    return error if cause is None else cause
