"""TLS connections that close when they fail, and remember why."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stream.errors import LogError


class TlsContext(ssl.SSLContext):
    """A client's context; its sockets leave their last failure here.

    kafka-python tries again and again, and says at last that it found no cluster.
    """

    failure: ssl.SSLError | None = None


class TlsSocket(ssl.SSLSocket):
    """Closes when its handshake fails, and lets a broker have the last word.

    kafka-python leaves a failed socket to the garbage collector, and throws away what came
    together with the end of a connection: a refusal, and the reason for it.
    """

    _unread_before_end = False

    def __del__(self) -> None:
        # Who gives up a handshake that hangs has nothing but the attempt to let go of.
        self.close()

    def do_handshake(self, block: bool = False) -> None:
        """Do as much of the handshake as is possible now."""
        with self._remembering():
            super().do_handshake(block)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's own name
        """Read; the end is told apart from what came before it."""
        with self._remembering():
            read = super().read(len, buffer)
        if not read and self._unread_before_end:
            self._unread_before_end = False
            raise ssl.SSLWantReadError
        self._unread_before_end = bool(read)
        return read

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if isinstance(self.context, TlsContext):
                self.context.failure = error
            self.close()
            raise


def tls_context(
    *,
    ca_file: str | None,
    certificate_file: str | None,
    key_file: str | None,
    key_password: str | None,
    check_hostname: bool,
) -> TlsContext:
    """Return a context that trusts `ca_file`, else what the system trusts.

    Raises
    ------
    LogError
        A file does not hold what it should, or the key's password is wrong.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TlsSocket
    context.check_hostname = check_hostname
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise LogError(f"ssl_ca_file: {ca_file} holds no certificates in PEM form") from error
    if certificate_file is not None:
        try:
            # A password is always given: without one, OpenSSL would ask the terminal for it.
            context.load_cert_chain(certificate_file, key_file, password=key_password or "")
        except OSError as error:
            raise LogError(
                f"ssl_certificate_file: {certificate_file} and its key {key_file} cannot be used "
                f"({error.strerror or error}): both in PEM form, the password right?"
            ) from error
    return context
