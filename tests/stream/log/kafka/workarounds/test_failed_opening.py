"""A client that is not opened leaves nothing behind and raises the cause."""

import logging
import ssl
from types import SimpleNamespace

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, SaslAuthenticationFailedError

from stream.errors import LogError
from stream.log.kafka.cluster.reachability import Reachability
from stream.log.kafka.workarounds.failed_opening import no_leftovers
from stream.log.kafka.workarounds.tls_sockets import TlsContext

LOG = logging.getLogger("kafka.net.manager")
REFUSED = KafkaConnectionError("111 ECONNREFUSED")
WHO = SaslAuthenticationFailedError("who?")
NOWHERE = KafkaTimeoutError("no cluster")


@pytest.mark.parametrize(
    ("logged", "raised"),
    [
        ([], NOWHERE),
        ([NOWHERE], NOWHERE),
        ([REFUSED], REFUSED),
        ([REFUSED, WHO], WHO),
        ([WHO, REFUSED], WHO),
    ],
    ids=["nothing", "another timeout", "a refusal", "a refusal for good", "in any order"],
)
def test_the_most_telling_cause_is_raised(logged: list[Exception], raised: Exception) -> None:
    """What is for good before what may pass, and that before a timeout."""

    def fail() -> None:
        for error in logged:
            LOG.error("Connection failed: %s", error)
        raise NOWHERE

    with pytest.raises(type(raised)) as caught, no_leftovers([], None, Reachability()):
        fail()
    assert caught.value is raised


def test_connections_are_closed_whatever_was_raised() -> None:
    """One that cannot even be closed holds the others up no more."""
    closed: list[str] = []

    def fail() -> None:
        raise OSError

    connections = [SimpleNamespace(close=fail), SimpleNamespace(close=lambda: closed.append("it"))]
    with pytest.raises(KeyboardInterrupt), no_leftovers(connections, None, Reachability()):
        raise KeyboardInterrupt
    assert closed == ["it"]


def test_a_tls_failure_says_what_to_correct() -> None:
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.failure = ssl.SSLError("bad certificate")
    with (
        pytest.raises(LogError, match=r"bad certificate.*ssl_ca_file"),
        no_leftovers([], context, Reachability()),
    ):
        raise NOWHERE


def test_an_open_client_keeps_its_connections() -> None:
    closed: list[str] = []
    with no_leftovers([SimpleNamespace(close=lambda: closed.append("it"))], None, Reachability()):
        pass
    assert not closed
