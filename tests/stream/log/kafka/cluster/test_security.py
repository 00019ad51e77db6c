"""A cluster that demands certificates and passwords lets in who has both, and says who has not."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.clock import SystemClock
from stream.errors import LogError
from stream.log.interface import Outgoing, TopicSpec
from stream.log.kafka.cluster.settings import PASSWORD_VARIABLE, KafkaSettings
from stream.log.kafka.log import KafkaLog
from tests.kafka_security import USER, Credentials, credentials
from tests.stream.log.kafka.clusters import own_cluster

pytestmark = pytest.mark.kafka

OpenLog = Callable[[KafkaSettings], KafkaLog]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Credentials]]:
    """Run a broker with mutual TLS and SCRAM; return where it is and how to get in."""
    made = credentials(tmp_path_factory.mktemp("credentials"))
    with own_cluster(security=made.security) as cluster:
        yield cluster.bootstrap_servers, made


@pytest.fixture
def settings(secured: tuple[str, Credentials]) -> KafkaSettings:
    """Return settings that are let in."""
    made = secured[1]
    return KafkaSettings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username=USER,
        sasl_password_file=str(made.password_file),
        ssl_ca_file=str(made.ca_file),
        ssl_certificate_file=str(made.certificate_file),
        ssl_key_file=str(made.key_file),
        ssl_key_password_file=str(made.key_password_file),
        timeout_seconds=3.0,
    )


@pytest.fixture
def open_log(secured: tuple[str, Credentials]) -> Iterator[OpenLog]:
    """Return what opens a log in the cluster."""
    logs: list[KafkaLog] = []

    def open_one(settings: KafkaSettings) -> KafkaLog:
        logs.append(KafkaLog(secured[0], SystemClock(), settings))
        return logs[-1]

    yield open_one
    for log in logs:
        log.close()


@pytest.mark.parametrize("place", ["file", "environment"])
def test_who_has_certificate_and_password_reads_and_writes(
    open_log: OpenLog,
    settings: KafkaSettings,
    secured: tuple[str, Credentials],
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every kind of client gets in: admin, producers, consumers, a group's member."""
    if place == "environment":
        monkeypatch.setenv(PASSWORD_VARIABLE, secured[1].password_file.read_text().strip())
        settings = dataclasses.replace(settings, sasl_password_file="")
    log = open_log(settings)
    topic = f"secured.{place}"
    log.create_topic(TopicSpec(name=topic))
    log.writer(topic).append([Outgoing(b"k", b"plain")])
    log.writer(topic, fence="one").append([Outgoing(b"k", b"fenced")])
    reader = log.reader(topic, group="secured")
    values: list[bytes | None] = []
    for _ in range(100):
        values += [value for batch in reader.poll(10, 0.2) for value in batch.values]
        if len(values) == 2:
            break
    assert values == [b"plain", b"fenced"]
    log.save_positions("secured", topic, {0: reader.position(0)})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sasl_username": "mallory"}, r"refuses these credentials.*\[kafka\]"),
        ({"ssl_ca_file": ""}, "CERTIFICATE_VERIFY_FAILED.*ssl_ca_file"),
        ({"ssl_certificate_file": "", "ssl_key_file": ""}, "BAD_CERTIFICATE|CERTIFICATE_REQUIRED"),
    ],
    ids=["user", "authority", "certificate"],
)
def test_who_lacks_one_is_told_which(
    open_log: OpenLog, settings: KafkaSettings, wrong: dict[str, str], message: str
) -> None:
    """The message names the cause, not only that nothing answered."""
    with pytest.raises(LogError, match=message):
        open_log(dataclasses.replace(settings, **wrong)).topics()  # type: ignore[arg-type]


def test_secrets_are_never_shown(settings: KafkaSettings, tmp_path: Path) -> None:
    """Neither the settings nor an error about them hold any."""
    secret = Path(settings.sasl_password_file).read_text().strip()
    assert secret not in repr(settings)
