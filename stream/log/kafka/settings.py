"""How to reach a Kafka cluster, and how patiently."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from stream.errors import LogError

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression = Literal["none", "gzip", "zstd"]

_RECONNECT_LONGEST_MILLISECONDS: Final = 2_000
_BATCH_BYTES: Final = 256 << 10
_LARGEST_REQUEST_BYTES: Final = 16 << 20  # what a record may be is the topic's to say


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """What every client of one cluster has in common.

    Parameters
    ----------
    security_protocol, sasl_mechanism, sasl_username
        As the cluster demands.
    sasl_password, sasl_password_file
        The password, or the file that holds it (its last line break is not part of it).
    ssl_ca_file
        Certificates of the authorities to trust; None: the system's.
    ssl_certificate_file, ssl_key_file, ssl_key_password_file
        The client's own certificate, for clusters that demand one.
    ssl_check_hostname
        Whether a broker's certificate must name its host.
    client_id
        What the brokers' logs and quotas call these clients.
    group_instance_id
        Makes this process a static member of its groups: a restart within the session timeout
        moves no partition. Must differ between the processes of a group.
    session_timeout_seconds
        How long a silent member keeps its partitions.
    max_poll_interval_seconds
        How long a member may work between two polls before its partitions move.
    replication_factor, min_insync_replicas
        For topics that are created here; None: the cluster's defaults.
    compression
        Of what is written.
    timeout_seconds
        The bound of every call that waits for the cluster.
    fetch_bytes, partition_fetch_bytes
        About how much one request fetches, in all and of one partition. A larger record is
        fetched nevertheless.
    """

    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    sasl_password_file: Path | None = None
    ssl_ca_file: Path | None = None
    ssl_certificate_file: Path | None = None
    ssl_key_file: Path | None = None
    ssl_key_password_file: Path | None = None
    ssl_check_hostname: bool = True
    client_id: str = "gsr"
    group_instance_id: str | None = None
    session_timeout_seconds: float = 30.0
    max_poll_interval_seconds: float = 300.0
    replication_factor: int | None = None
    min_insync_replicas: int | None = None
    compression: Compression = "none"
    timeout_seconds: float = 30.0
    fetch_bytes: int = 32 << 20
    partition_fetch_bytes: int = 4 << 20

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
            "batch_size": _BATCH_BYTES,
            "max_request_size": _LARGEST_REQUEST_BYTES,
            "transaction_timeout_ms": _milliseconds(2 * self.timeout_seconds),
            "delivery_timeout_ms": _milliseconds(self.timeout_seconds),
            "max_block_ms": _milliseconds(self.timeout_seconds),
        }

    def _tls(self) -> dict[str, Any]:
        if self.security_protocol not in ("SSL", "SASL_SSL"):
            return {}
        return {
            "ssl_check_hostname": self.ssl_check_hostname,
            "ssl_cafile": _path("ssl_ca_file", self.ssl_ca_file),
            "ssl_certfile": _path("ssl_certificate_file", self.ssl_certificate_file),
            "ssl_keyfile": _path("ssl_key_file", self.ssl_key_file),
            "ssl_password": _secret("ssl_key_password_file", self.ssl_key_password_file),
        }

    def _sasl(self) -> dict[str, Any]:
        if self.security_protocol not in ("SASL_PLAINTEXT", "SASL_SSL"):
            return {}
        password = self.sasl_password
        if password is None:
            password = _secret("sasl_password_file", self.sasl_password_file)
        if self.sasl_mechanism is None or self.sasl_username is None or password is None:
            raise LogError(
                f"security_protocol {self.security_protocol} needs sasl_mechanism, sasl_username "
                "and sasl_password_file (or the password in the environment)"
            )
        return {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": password,
        }


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _path(name: str, path: Path | None) -> str | None:
    if path is not None and not path.is_file():
        raise LogError(f"{name}: there is no file {path}")
    return None if path is None else str(path)


def _secret(name: str, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise LogError(f"{name}: {path} cannot be read ({reason})") from error
