"""A cluster that cannot be reached: which address, what is wrong, and soon."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import errors

from stream.address import Address
from stream.clock import SystemClock
from stream.errors import LogError, LogUnavailableError
from stream.log.kafka.cluster.reachability import Reachability, reason
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from tests.stream.log.kafka.clusters import own_cluster

ONE, TWO = Address("one", 9092), Address("::1", 9092)
REFUSED = errors.KafkaConnectionError("111 ECONNREFUSED")


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """Accept connections, answer the first bytes with `answer`, and close; "" says nothing."""

    def serve() -> None:
        while (peer := _accepted(listening)) is not None:
            peers.append(peer)
            if answer:
                peer.recv(64)
                peer.sendall(answer)
                peer.close()

    peers: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for peer in peers:
                peer.close()


def _accepted(listening: socket.socket) -> socket.socket | None:
    try:
        return listening.accept()[0]
    except OSError:
        return None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (REFUSED, "connection refused"),
        (errors.KafkaConnectionError("113 EHOSTUNREACH"), "no route to host"),
        (errors.KafkaConnectionError("DNS Resolution failure"), "cannot be resolved"),
        (errors.KafkaConnectionError("Connection timed out"), "no answer"),
        (errors.RequestTimedOutError("after 3 ms"), "no answer"),
        (errors.KafkaConnectionError("socket disconnected"), "no Kafka broker"),
        (errors.KafkaConnectionError(), "no Kafka broker"),
        (errors.InvalidReceiveError("Invalid frame length: 7"), "no Kafka broker"),
        (errors.KafkaConnectionError("Handshake failed: [SSL] x"), r"TLS failed \(\[SSL\] x\)"),
        (errors.SaslAuthenticationFailedError("who?"), r"credentials refused \(who\?\)"),
        (errors.KafkaConnectionError("else"), "else"),
    ],
)
def test_each_failure_has_plain_words(error: Exception, said: str) -> None:
    """No number and no class of the client's."""
    assert re.search(said, reason(error))


def test_a_broker_is_named_until_it_answers() -> None:
    """IPv6 in brackets; an address that came from a broker says so."""
    brokers = Reachability()
    brokers.failed(ONE, REFUSED, {ONE, TWO}, advertised=False)
    assert brokers.told() == "one:9092: connection refused"
    assert not brokers.nowhere()
    brokers.failed(TWO, REFUSED, {ONE, TWO}, advertised=True)
    assert "[::1]:9092: connection refused (the brokers name this address" in brokers.told()
    assert brokers.nowhere()
    brokers.reached(ONE, {ONE, TWO})
    assert "one:9092" not in brokers.told()


def test_one_broker_that_answers_is_enough() -> None:
    """Then a question is worth repeating."""
    brokers = Reachability()
    brokers.failed(ONE, REFUSED, {ONE}, advertised=False)
    brokers.reached(ONE, {ONE, TWO})
    assert not brokers.nowhere()


def test_silence_is_not_a_refusal() -> None:
    """A broker that hangs for a moment is waited for."""
    brokers = Reachability()
    brokers.failed(ONE, errors.RequestTimedOutError(), {ONE}, advertised=False)
    assert brokers.told() == "one:9092: no answer"
    assert not brokers.nowhere()


def test_an_attempt_that_is_cut_off_does_not_hide_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client ends its attempts in time, which looks like silence; later silence is new."""
    brokers = Reachability()
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    brokers.failed(ONE, REFUSED, {ONE}, advertised=False)
    brokers.failed(ONE, errors.RequestTimedOutError(), {ONE}, advertised=False)
    assert brokers.told() == "one:9092: connection refused"
    assert brokers.nowhere()
    now += 10.0
    brokers.failed(ONE, errors.RequestTimedOutError(), {ONE}, advertised=False)
    assert brokers.told() == "one:9092: no answer"
    assert not brokers.nowhere()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "cannot reach Kafka at 127.0.0.1:1: connection refused"),
        ("[::1]:1", r"cannot reach Kafka at \[::1\]:1: connection refused"),
        ("no-such-host.invalid:9092", "no-such-host.invalid:9092: the name cannot be resolved"),
    ],
)
def test_who_cannot_connect_hears_soon_where_and_why(address: str, said: str) -> None:
    """Long before `timeout_seconds`, and without a word of the client's."""
    log = KafkaLog(address, SystemClock())
    began = time.monotonic()
    with pytest.raises(LogUnavailableError, match=said):
        log.topics()
    assert time.monotonic() - began < 5.0
    log.close()


def test_what_is_no_broker_is_told_so() -> None:
    """Most often another server's port, or another listener's."""
    with server(b"HTTP/1.0 400 Bad Request\r\n\r\n") as address:
        log = KafkaLog(address, SystemClock())
        with pytest.raises(LogError, match=rf"{address}: .* it is no Kafka broker"):
            log.topics()
        log.close()


@pytest.mark.parametrize(
    "settings",
    [
        KafkaSettings(timeout_seconds=4.0),
        KafkaSettings(timeout_seconds=4.0, security_protocol="SSL"),
    ],
    ids=["plain", "TLS"],
)
def test_a_silent_broker_is_told_of_and_waited_for(
    settings: KafkaSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does a TLS handshake wait for ever."""
    with server(b"") as address:
        log = KafkaLog(address, SystemClock(), settings)
        with pytest.raises(LogUnavailableError, match=f"{address}: no answer"):
            log.topics()
        log.close()
    assert f"{address}: no answer; trying for" in caplog.text


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_names_an_address_of_no_use_is_told_so() -> None:
    """It answers, and sends its clients elsewhere."""
    properties = {
        "advertised.listeners": "CLIENT://elsewhere.invalid:9092",
        "inter.broker.listener.name": "CLIENT",
    }
    with own_cluster(properties=properties) as cluster:
        log = KafkaLog(cluster.bootstrap_servers, SystemClock())
        with pytest.raises(LogUnavailableError, match=r"elsewhere.invalid:9092.*advertised\."):
            log.topics()
        log.close()
