"""A TLS connection that fails closes and says why; a last word is read before the end."""

import socket
import ssl

import pytest

from stream.log.kafka.workarounds.tls_sockets import TlsContext, TlsSocket


def test_a_failed_handshake_closes_and_leaves_the_reason() -> None:
    """The other end speaks something else."""
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    ours, theirs = socket.socketpair()
    theirs.sendall(b"no TLS here, nor anything else that could be a record of it")
    wrapped = context.wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)
    with pytest.raises(ssl.SSLError):
        wrapped.do_handshake()
    theirs.close()
    assert isinstance(wrapped, TlsSocket)
    assert wrapped.fileno() == -1
    assert isinstance(context.failure, ssl.SSLError)


def test_what_comes_with_the_end_is_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library throws away what it has not handled when it meets the end."""
    arriving = [b"refused, because", b"", b""]
    monkeypatch.setattr(ssl.SSLSocket, "read", lambda *_: arriving.pop(0))
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    ours, theirs = socket.socketpair()
    wrapped = context.wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)
    assert wrapped.read() == b"refused, because"
    with pytest.raises(ssl.SSLWantReadError):
        wrapped.read()
    assert wrapped.read() == b""
    wrapped.close()
    theirs.close()
