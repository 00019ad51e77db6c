"""A TLS setting that cannot be used is named."""

from pathlib import Path
from typing import Any

import pytest

from stream.errors import LogError
from stream.log.kafka.cluster.tls import tls_context

NOTHING: dict[str, Any] = {
    "ca_file": None,
    "certificate_file": None,
    "key_file": None,
    "key_password": None,
}


@pytest.mark.parametrize("check_hostname", [True, False])
def test_without_files_the_system_is_trusted(*, check_hostname: bool) -> None:
    context = tls_context(**NOTHING, check_hostname=check_hostname)
    assert context.check_hostname is check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_an_authority_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(content)
    with pytest.raises(LogError, match=r"ssl_ca_file: .*ca\.pem holds no certificates"):
        tls_context(**(NOTHING | {"ca_file": str(path)}), check_hostname=True)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    """Or whose key is another one, or has another password."""
    path = tmp_path / "own.pem"
    path.write_text("no certificate")
    with pytest.raises(LogError, match=r"ssl_certificate_file: .*own\.pem and its key"):
        tls_context(
            **(NOTHING | {"certificate_file": str(path), "key_file": str(path)}),
            check_hostname=True,
        )
