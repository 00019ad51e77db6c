"""Sockets that are closed when they could not be connected.

Wrong: a socket whose connection fails is left to the garbage collector, which our processes let
    run seldom: while brokers are away, each attempt keeps a file open.
Issue: not reported.
Probe: `fits`; elsewhere connections are made by the library's own class.
Until: `KafkaNetSocket.sock_connect` closes what it could not connect.
"""

from typing import Any

from kafka.net.inet import KafkaNetSocket

from stream.log.kafka.cluster.library import has_all, warn_unfit


class ClosedSocket(KafkaNetSocket):  # type: ignore[misc] # kafka-python is untyped
    """Closes a socket as soon as its connection fails.

    kafka-python looks up by the scheme of `proxy_url` which class makes the connections.
    """

    SCHEMES = ("direct",)

    async def sock_connect(
        self, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        """Connect `sock`, or close it and raise why."""
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


def closing_sockets() -> dict[str, str]:
    """Return what a client must be configured with to get such sockets, through no proxy."""
    if not fits():
        warn_unfit("closed_sockets", "attempts to reach a broker that is away keep files open")
        return {}
    return {"proxy_url": "direct://"}


def fits() -> bool:
    """Return whether the library looks for the class by its scheme."""
    return has_all(KafkaNetSocket, "register_class", "sock_connect")
