"""Sockets that are closed when they could not be connected."""

from typing import Any, Final

from kafka.net.inet import KafkaNetSocket

DIRECT: Final = "direct://"
"""What a client's `proxy_url` must be to get such sockets, which go through no proxy."""


class ClosedSocket(KafkaNetSocket):  # type: ignore[misc] # kafka-python is untyped
    """Closes a socket as soon as its connection fails.

    kafka-python leaves that to the garbage collector, which our processes let run seldom: while
    brokers are away, each attempt would keep a file open. kafka-python looks up by the scheme of
    `proxy_url` which class makes the connections.
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
