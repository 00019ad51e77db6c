"""Connections told apart by broker, and bounded in time.

Wrong: where no broker can be reached, kafka-python raises a timeout and only logs which address
    failed and how; and it waits for ever for a peer that accepts connections and says nothing in
    the TLS handshake.
Issue: not reported.
Probe: `fits`; elsewhere errors name no broker, and handshakes that hang are waited for.
Until: errors carry the address and its cause, and `request_timeout_ms` bounds handshakes.
"""

import inspect
import time
from typing import Any, Final

from kafka.errors import KafkaConnectionError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from stream.address import Address
from stream.log.kafka.cluster.library import has_all, warn_unfit
from stream.log.kafka.cluster.reachability import Reachability

_GRACE_SECONDS: Final = 0.5  # for kafka-python's own deadlines, which say more


class TracedConnections(KafkaConnectionManager):  # type: ignore[misc] # kafka-python is untyped
    """Notes which broker was reached or not, and ends a TLS handshake that hangs.

    Parameters
    ----------
    net
        kafka-python's event loop.
    brokers
        Told of each attempt.
    **configs
        What else kafka-python configures connections with.
    """

    def __init__(self, net: NetworkSelector, brokers: Reachability, **configs: Any) -> None:
        super().__init__(net, **configs)
        self._brokers = brokers

    async def _connect(
        self, node: Any, conn: Any, *arguments: Any, timeout_at: float | None = None, **options: Any
    ) -> None:
        broker = Address(node.host, node.port)
        conn.init_future.add_callback(lambda _: self._brokers.reached(broker, self._known()))
        conn.init_future.add_errback(lambda error: self._failed(broker, error))
        connect = super()._connect
        attempt = self._net.call_soon(
            lambda: connect(node, conn, *arguments, timeout_at=timeout_at, **options)
        )
        if timeout_at is not None:
            end = max(timeout_at, time.monotonic()) + _GRACE_SECONDS
            self._net.call_at(end, lambda: self._end(attempt, node, conn))

    def _end(self, attempt: Any, node: Any, conn: Any) -> None:
        if conn.init_future.is_done:
            return
        self._net.cancel(attempt)
        self.update_backoff(node.node_id)
        conn.close(KafkaConnectionError("Connection timed out"))

    def _failed(self, broker: Address, error: Exception) -> None:
        advertised = broker not in _addresses(self.cluster.bootstrap_brokers())
        self._brokers.failed(broker, error, self._known(), advertised=advertised)

    def _known(self) -> set[Address]:
        return _addresses(self.cluster.brokers() or self.cluster.bootstrap_brokers())


def traced_connections(
    net: NetworkSelector, brokers: Reachability, **configs: Any
) -> KafkaConnectionManager:
    """Return connections that tell `brokers` of each attempt, where the library allows it."""
    if not fits(net):
        warn_unfit("connections", "errors do not name the brokers that cannot be reached")
        return KafkaConnectionManager(net, **configs)
    return TracedConnections(net, brokers, **configs)


def fits(net: NetworkSelector) -> bool:
    """Return whether the library connects where it is overridden, on a loop that can cancel."""
    connect = getattr(KafkaConnectionManager, "_connect", None)
    return (
        connect is not None
        and "timeout_at" in inspect.signature(connect).parameters
        and has_all(KafkaConnectionManager, "update_backoff")
        and has_all(net, "call_soon", "call_at", "cancel")
    )


def _addresses(brokers: Any) -> set[Address]:
    return {Address(broker.host, broker.port) for broker in brokers}
