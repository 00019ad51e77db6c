"""TLS connections that close when they fail, and remember why.

Wrong: a socket whose handshake failed is left to the garbage collector, why it failed is lost
    ("no cluster found"), and what came together with the end of a connection is thrown away: a
    broker's refusal, and the reason for it.
Issue: not reported.
Probe: none is needed: only `ssl` and the setting `ssl_context` are used, which are public.
Until: the errors of kafka-python's clients name the TLS failure, and failed sockets are closed.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TlsSocket(ssl.SSLSocket):
    """Closes when its handshake fails, and tells the end apart from what came before it."""

    _unread_before_end = False

    def __del__(self) -> None:
        # Who gives up a handshake that hangs has nothing but the attempt to let go of.
        self.close()

    def do_handshake(self, block: bool = False) -> None:
        """Do as much of the handshake as is possible now."""
        with self._remembering():
            super().do_handshake(block)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - ssl's own name
        """Read; the end comes one call later than what came together with it."""
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


class TlsContext(ssl.SSLContext):
    """A client's context, whose sockets are `TlsSocket`s and leave their last failure here."""

    sslsocket_class = TlsSocket
    failure: ssl.SSLError | None = None
