"""A producer waits for a broker that is away."""

import pytest
from kafka.errors import KafkaConnectionError
from kafka.net.compat import KafkaNetClient

from stream.log.kafka.workarounds.broker_readiness import PatientConnections


@pytest.mark.parametrize("failure", [None, KafkaConnectionError("gone")])
def test_a_broker_that_is_away_is_no_error_to_a_producer(
    monkeypatch: pytest.MonkeyPatch, failure: KafkaConnectionError | None
) -> None:
    """It would forget what it was about to send."""

    def await_ready(*_: object) -> bool:
        if failure is not None:
            raise failure
        return True

    monkeypatch.setattr(KafkaNetClient, "await_ready", await_ready)
    connections = PatientConnections.__new__(PatientConnections)
    assert connections.await_ready("coordinator-1") is (failure is None)
