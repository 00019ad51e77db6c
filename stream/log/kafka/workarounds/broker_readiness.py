"""Producers that wait for a broker which is not ready.

Wrong: where the coordinator is away, `await_ready` raises instead of returning False, and the
    producer's thread forgets the transactional request that it was about to send.
Issue: not reported.
Probe: none is needed: `await_ready` is public. A library without it would not call this one.
Until: `await_ready` returns False, or the sender keeps the request.
"""

from kafka.errors import KafkaConnectionError
from kafka.net.compat import KafkaNetClient


class PatientConnections(KafkaNetClient):  # type: ignore[misc] # kafka-python is untyped
    """Tells a producer that a broker is not ready, which it then waits for."""

    def await_ready(self, node_id: str | int, timeout_ms: float = 30_000) -> bool:
        """Return whether the broker can be sent to, within `timeout_ms`."""
        try:
            return bool(super().await_ready(node_id, timeout_ms))
        except KafkaConnectionError:
            return False
