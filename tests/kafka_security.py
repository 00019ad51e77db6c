"""Certificates and users for a broker that demands them, made anew for each test run."""

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kafka_broker import BrokerSecurity

USER: Final = "gsr"
_DAYS: Final = "2"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to get in, and what the broker must be told.

    Parameters
    ----------
    ca_file
        Whom to trust.
    certificate_file, key_file, key_password_file
        The client's own certificate.
    password_file
        The password of `USER`.
    security
        For `kafka_cluster`.
    """

    ca_file: Path
    certificate_file: Path
    key_file: Path
    key_password_file: Path
    password_file: Path
    security: BrokerSecurity


def credentials(directory: Path) -> Credentials:
    """Make a cluster's and a client's credentials: mutual TLS with SCRAM-SHA-512 on top."""
    ca = directory / "ca.pem"
    _openssl(
        directory,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS, "-subj", "/CN=gsr test"),
        *("-keyout", "ca.key", "-out", ca.name),
    )
    password, key_password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    broker = _signed(directory, "broker", None)
    client = _signed(directory, "client", key_password)
    for name, secret in (("password", password), ("client.password", key_password)):
        (directory / name).write_text(f"{secret}\n")
    return Credentials(
        ca,
        *client,
        directory / "client.password",
        directory / "password",
        BrokerSecurity(
            protocol="SASL_SSL",
            scram_users={USER: password},
            properties={
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.client.scram-sha-512.sasl.jaas.config": (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                ),
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(_joined(*broker)),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(ca),
                "listener.name.client.ssl.client.auth": "required",
            },
        ),
    )


def _signed(directory: Path, name: str, key_password: str | None) -> tuple[Path, Path]:
    """Return a certificate for the loopback address and its key, signed by the authority."""
    key, request, certificate = (directory / f"{name}.{part}" for part in ("key", "csr", "pem"))
    protection = ["-nodes"] if key_password is None else ["-passout", f"pass:{key_password}"]
    _openssl(
        directory,
        *("req", "-newkey", "rsa:2048", *protection, "-subj", f"/CN={name}"),
        *("-keyout", key.name, "-out", request.name),
    )
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(
        directory,
        *("x509", "-req", "-in", request.name, "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", _DAYS, "-extfile", extensions.name),
        *("-out", certificate.name),
    )
    return certificate, key


def _joined(certificate: Path, key: Path) -> Path:
    """Return one file with both, as the broker wants them."""
    store = certificate.with_suffix(".store")
    store.write_text(key.read_text() + certificate.read_text())
    return store


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(
        ["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=60
    )
