"""Connections note each attempt, and the library that has changed keeps its own."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from stream.log.kafka.cluster.reachability import Reachability
from stream.log.kafka.workarounds.connections import TracedConnections, fits, traced_connections


def test_the_library_connects_where_it_is_overridden() -> None:
    """Else errors would name no broker."""
    net = NetworkSelector()
    assert isinstance(traced_connections(net, Reachability()), TracedConnections)
    net.close()


def test_another_library_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that bounds the time in another way."""

    async def connect(self: Any, node: Any, conn: Any) -> None:
        """Connect."""

    net = NetworkSelector()
    monkeypatch.setattr(KafkaConnectionManager, "_connect", connect)
    assert type(traced_connections(net, Reachability())) is KafkaConnectionManager
    net.close()


def test_a_loop_that_cannot_cancel_is_another_librarys() -> None:
    assert not fits(SimpleNamespace(call_soon=None, call_at=None))
