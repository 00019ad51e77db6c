"""Brokers that cannot be reached, each with the reason in plain words."""

import os
import re
import threading
import time
from collections.abc import Collection
from typing import Final, NamedTuple

from kafka import errors

from stream.address import Address

_REMEMBERED_SECONDS: Final = 60.0
# The client cuts attempts off at its own deadlines: so soon after a refusal, one tells nothing new.
_REFUSED_SECONDS: Final = 10.0
_SILENT: Final = "no answer"
_NOT_KAFKA: Final = "it is no Kafka broker, or kafka.security_protocol is not what it expects"
# First match first: what kafka-python raised, what it said, what that is in plain words.
_MEANINGS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...]] = (
    ((errors.KafkaTimeoutError, errors.RequestTimedOutError), "", _SILENT),
    (
        (errors.AuthorizationError, errors.SaslAuthenticationFailedError),
        "",
        "credentials refused ({0})",
    ),
    (errors.InvalidReceiveError, "", f"not understood; {_NOT_KAFKA}"),
    (Exception, "^Connection timed out$", _SILENT),
    (Exception, "^DNS Resolution failure$", "the name cannot be resolved"),
    (Exception, "^Handshake failed: (.*)", "TLS failed ({1})"),
    (Exception, "^$|disconnected|reset", f"it closes the connection; {_NOT_KAFKA}"),
)


class _Failure(NamedTuple):
    at: float
    told: str
    silent: bool


class Reachability:
    """The outcome of the last attempt to connect to each broker of a cluster.

    The cluster's clients share one; safe for several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[Address, _Failure] = {}
        self._nowhere = False

    def nowhere(self) -> bool:
        """Return whether every known broker refused; one that is silent may yet answer."""
        return self._nowhere

    def reached(self, broker: Address, known: Collection[Address]) -> None:
        """Note that `broker`, one of those `known`, answers."""
        with self._lock:
            self._failures.pop(broker, None)
            if broker in known:
                self._nowhere = False

    def failed(
        self, broker: Address, error: Exception, known: Collection[Address], *, advertised: bool
    ) -> None:
        """Note why `broker` could not be reached; silence does not replace a refusal just before.

        Parameters
        ----------
        broker
            Where.
        error
            What kafka-python made of it.
        known
            All brokers of the cluster, as far as is known.
        advertised
            Whether a broker gave this address, not the configuration.
        """
        told = f"{broker}: {reason(error)}"
        if advertised:
            told += (
                " (the brokers name this address to their clients: correct advertised.listeners "
                "there, or this machine's name resolution and routes)"
            )
        failure = _Failure(time.monotonic(), told, reason(error) == _SILENT)
        with self._lock:
            before = self._failures.get(broker, failure)
            if failure.silent and not before.silent and failure.at < before.at + _REFUSED_SECONDS:
                return
            self._failures[broker] = failure
            self._nowhere = not failure.silent and all(one in self._failures for one in known)

    def told(self) -> str:
        """Return each broker that cannot be reached with the reason; "" where there is none."""
        with self._lock:
            oldest = time.monotonic() - _REMEMBERED_SECONDS
            return "; ".join(
                sorted(one.told for one in self._failures.values() if one.at >= oldest)
            )


def reason(error: Exception) -> str:
    """Return in plain words why a connection failed.

    Examples
    --------
    >>> reason(errors.KafkaConnectionError("111 ECONNREFUSED"))
    'connection refused'
    """
    text = ": ".join(map(str, error.args))
    number = re.match(r"(\d+) E[A-Z]+$", text)
    if number is not None:
        return os.strerror(int(number[1])).lower()
    for kinds, pattern, meaning in _MEANINGS:
        if isinstance(error, kinds) and (found := re.search(pattern, text)) is not None:
            return meaning.format(text, *found.groups())
    return text
