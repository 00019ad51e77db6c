"""Settings of the connection to a Kafka cluster."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from stream.errors import LogError
from stream.log.kafka.cluster.tls import tls_context

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression = Literal["none", "gzip", "zstd"]

PASSWORD_VARIABLE: Final = "GSR_KAFKA_SASL_PASSWORD"  # noqa: S105 - a name
KEY_PASSWORD_VARIABLE: Final = "GSR_KAFKA_SSL_KEY_PASSWORD"  # noqa: S105 - a name

_RECONNECT_LONGEST_MILLISECONDS: Final = 2_000
# A transaction that follows another at once is told to wait until that one's end is written.
_PRODUCER_RETRY_MILLISECONDS: Final = 10
# A new consumer's first polls find it not ready, and wait so long each: a publisher that starts
# opens two for each partition, one after the other.
_CONSUMER_RETRY_MILLISECONDS: Final = 25
_BATCH_BYTES: Final = 256 << 10
LARGEST_REQUEST_BYTES: Final = 16 << 20  # what a record may be is the topic's to say
_BOUNDS_SECONDS: Final = {
    "session_timeout_seconds": (1.0, 1800.0),
    "max_poll_interval_seconds": (1.0, 3600.0),
    "timeout_seconds": (3.0, 1200.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """How to reach Kafka, where log.url names a cluster, and how patiently.

    Parameters
    ----------
    security_protocol
        PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as the cluster demands.
    sasl_mechanism
        PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    sasl_username
        Who connects.
    sasl_password_file
        The file that holds the password; "": the variable GSR_KAFKA_SASL_PASSWORD holds it.
    ssl_ca_file
        Certificates of the authorities to trust; "": the system's.
    ssl_certificate_file, ssl_key_file
        Our own certificate and its key, for a cluster that demands one; "": none.
    ssl_key_password_file
        The file that holds the key's password; "": the variable GSR_KAFKA_SSL_KEY_PASSWORD holds
        it, if it has one.
    ssl_check_hostname
        Whether a broker's certificate must name its host.
    client_id
        What the brokers' logs and quotas call us.
    group_instance_id
        Makes this process a static member of its groups: a restart within the session timeout
        moves no partition. Must differ between the processes of a group; "": a dynamic member, or
        under `gsr run` a name that the state directory keeps.
    session_timeout_seconds
        How long a silent member keeps its partitions.
    max_poll_interval_seconds
        How long a member may work between two polls before its partitions move.
    replication_factor, min_insync_replicas
        Of the topics that are created; 0: the cluster's defaults.
    compression
        Of what is written: none, gzip or zstd.
    timeout_seconds
        The bound of every call that waits for the cluster.
    fetch_bytes, partition_fetch_bytes
        About how much one request fetches, in all and of one partition. A larger record is
        fetched nevertheless.

    Raises
    ------
    ValueError
        A value that no client can use.
    """

    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    ssl_ca_file: str = ""
    ssl_certificate_file: str = ""
    ssl_key_file: str = ""
    ssl_key_password_file: str = ""
    ssl_check_hostname: bool = True
    client_id: str = "gsr"
    group_instance_id: str = ""
    session_timeout_seconds: float = 30.0
    max_poll_interval_seconds: float = 300.0
    replication_factor: int = 0
    min_insync_replicas: int = 0
    compression: Compression = "none"
    timeout_seconds: float = 30.0
    fetch_bytes: int = 33_554_432
    partition_fetch_bytes: int = 4_194_304

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS_SECONDS.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be between {least:g} and {most:g}")
        for name in ("replication_factor", "min_insync_replicas"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        for name in ("fetch_bytes", "partition_fetch_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive")

    @property
    def request_timeout_seconds(self) -> float:
        """How long one request may take, so that a call has time for a second one."""
        return self.timeout_seconds / 3

    def client_arguments(self, bootstrap_servers: str) -> dict[str, Any]:
        """Return what each kind of kafka-python client takes; reads the secrets.

        Raises
        ------
        LogError
            A secret's file cannot be read, or SASL lacks its credentials.
        """
        return {
            "bootstrap_servers": bootstrap_servers.split(","),
            "client_id": self.client_id,
            "request_timeout_ms": _milliseconds(self.request_timeout_seconds),
            "bootstrap_timeout_ms": _milliseconds(self.timeout_seconds),
            "reconnect_backoff_max_ms": _RECONNECT_LONGEST_MILLISECONDS,
            "security_protocol": self.security_protocol,
            **self._tls(),
            **self._sasl(),
        }

    def consumer_arguments(self) -> dict[str, Any]:
        """Return what consumers take besides."""
        return {
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "retry_backoff_ms": _CONSUMER_RETRY_MILLISECONDS,
            "isolation_level": "read_committed",
            "allow_auto_create_topics": False,
            "fetch_max_bytes": self.fetch_bytes,
            "max_partition_fetch_bytes": self.partition_fetch_bytes,
            "session_timeout_ms": _milliseconds(self.session_timeout_seconds),
            "heartbeat_interval_ms": _milliseconds(min(3.0, self.session_timeout_seconds / 5)),
            "max_poll_interval_ms": _milliseconds(self.max_poll_interval_seconds),
        }

    def producer_arguments(self) -> dict[str, Any]:
        """Return what producers take besides."""
        return {
            "enable_idempotence": True,
            "acks": "all",
            "allow_auto_create_topics": False,
            "compression_type": None if self.compression == "none" else self.compression,
            "retry_backoff_ms": _PRODUCER_RETRY_MILLISECONDS,
            "batch_size": _BATCH_BYTES,
            "max_request_size": LARGEST_REQUEST_BYTES,
            "transaction_timeout_ms": _milliseconds(2 * self.timeout_seconds),
            "delivery_timeout_ms": _milliseconds(self.timeout_seconds),
            "max_block_ms": _milliseconds(self.timeout_seconds),
        }

    def _tls(self) -> dict[str, Any]:
        if self.security_protocol not in ("SSL", "SASL_SSL"):
            return {}
        return {
            "ssl_context": tls_context(
                ca_file=_path("ssl_ca_file", self.ssl_ca_file),
                certificate_file=_path("ssl_certificate_file", self.ssl_certificate_file),
                key_file=_path("ssl_key_file", self.ssl_key_file),
                key_password=_secret(
                    "ssl_key_password_file", self.ssl_key_password_file, KEY_PASSWORD_VARIABLE
                ),
                check_hostname=self.ssl_check_hostname,
            )
        }

    def _sasl(self) -> dict[str, Any]:
        if self.security_protocol not in ("SASL_PLAINTEXT", "SASL_SSL"):
            return {}
        password = _secret("sasl_password_file", self.sasl_password_file, PASSWORD_VARIABLE)
        if not self.sasl_username or not password:
            raise LogError(
                f"security_protocol {self.security_protocol} needs sasl_username, and the password "
                f"in sasl_password_file or in the variable {PASSWORD_VARIABLE}"
            )
        return {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": password,
        }


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _path(name: str, path: str) -> str | None:
    if path and not Path(path).is_file():
        raise LogError(f"{name}: there is no file {path}")
    return path or None


def _secret(name: str, path: str, variable: str) -> str | None:
    """Return the secret from its file, else from the environment, if it is anywhere."""
    if not path:
        return os.environ.get(variable)
    try:
        return Path(path).read_text().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise LogError(f"{name}: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LogError(f"{name}: {path} is no text") from error
