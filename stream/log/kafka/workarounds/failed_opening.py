"""Clients that find no cluster leave nothing behind, and say why.

Wrong: kafka-python's clients start a thread before they look for the cluster, and forget it, with
    its files, where they find none; and they raise a timeout whatever the cause, which is logged.
Issue: https://github.com/dpkp/kafka-python/issues/2671 is one case of the latter.
Probe: none is needed: only the setting `kafka_client` and the log are used, which are public.
Until: a client whose constructor raises has stopped its thread, and raises the cause.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient

from stream.errors import LogError
from stream.log.kafka.cluster.failures import is_passing
from stream.log.kafka.cluster.reachability import Reachability
from stream.log.kafka.workarounds.tls_sockets import TlsContext

_CONNECTION_LOG: Final = logging.getLogger("kafka.net.manager")


class _Causes(logging.Handler):
    """Remembers why kafka-python could not connect."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.best: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error that is reported; a refusal is worth more than what may pass."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if (
                isinstance(argument, KafkaError)
                and not isinstance(argument, KafkaTimeoutError)
                and (self.best is None or is_passing(self.best))
            ):
                self.best = argument


@contextmanager
def no_leftovers(
    connections: Sequence[KafkaNetClient], context: TlsContext | None, brokers: Reachability
) -> Iterator[None]:
    """Close the connections of a client that is not opened in this block, and raise the cause.

    Parameters
    ----------
    connections
        Filled in the block.
    context
        Of the client's TLS, if any.
    brokers
        Which of them cannot be reached.
    """
    causes = _Causes()
    _CONNECTION_LOG.addHandler(causes)
    try:
        yield
    except BaseException as error:
        for connection in connections:
            with suppress(Exception):  # it never was of any use
                connection.close()
        if isinstance(error, KafkaError):
            raise _explained(error, causes.best, context, brokers) from error
        raise
    finally:
        _CONNECTION_LOG.removeHandler(causes)


def _explained(
    error: KafkaError,
    cause: KafkaError | None,
    context: TlsContext | None,
    brokers: Reachability,
) -> KafkaError | LogError:
    """Return what to raise for a cluster that was not found."""
    if context is not None and context.failure is not None:
        return LogError(
            f"no broker accepts TLS with us ({brokers.told() or context.failure}): correct "
            "security_protocol, ssl_ca_file, ssl_certificate_file or the hosts' names in [kafka]"
        )
    return error if cause is None else cause
