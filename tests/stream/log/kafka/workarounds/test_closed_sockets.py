"""A socket that cannot be connected does not stay open."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.net.inet import KafkaNetSocket

from stream.log.kafka.workarounds.closed_sockets import ClosedSocket, closing_sockets


@pytest.mark.parametrize("failure", [None, OSError("refused"), asyncio.CancelledError()])
def test_only_a_failed_socket_is_closed(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException | None
) -> None:
    """Whether it was refused or given up."""
    closed: list[bool] = []
    sock = SimpleNamespace(close=lambda: closed.append(True))

    async def connect(*_: Any, **__: Any) -> str:
        if failure is not None:
            raise failure
        return "connected"

    async def run() -> object:
        try:
            return await ClosedSocket("direct://").sock_connect(None, sock, ("localhost", 1))
        except BaseException as error:  # noqa: BLE001 - whatever it is
            return error

    monkeypatch.setattr(KafkaNetSocket, "sock_connect", connect)
    assert asyncio.run(run()) == (failure or "connected")
    assert closed == ([] if failure is None else [True])


def test_the_library_finds_it_by_its_scheme() -> None:
    assert type(KafkaNetSocket(closing_sockets()["proxy_url"])) is ClosedSocket


def test_another_library_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme that it does not know would be an error."""
    monkeypatch.delattr(KafkaNetSocket, "register_class")
    assert closing_sockets() == {}
