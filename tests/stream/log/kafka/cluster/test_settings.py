"""Settings reach every client, and wrong ones are told before any connects."""

from pathlib import Path

import pytest

from stream.errors import LogError
from stream.log.kafka.cluster.settings import PASSWORD_VARIABLE, KafkaSettings


def test_nothing_secret_is_needed_in_the_clear() -> None:
    """Nor sent."""
    arguments = KafkaSettings().client_arguments("a:1,b:2")
    assert arguments["bootstrap_servers"] == ["a:1", "b:2"]
    assert not any(name.startswith(("ssl", "sasl")) for name in arguments)


def test_the_promises_are_not_for_configuration() -> None:
    """Committed records only, acknowledged by all, nothing reset or created behind our back."""
    settings = KafkaSettings()
    assert (
        settings.consumer_arguments().items()
        >= {
            "isolation_level": "read_committed",
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
            "allow_auto_create_topics": False,
        }.items()
    )
    assert (
        settings.producer_arguments().items() >= {"enable_idempotence": True, "acks": "all"}.items()
    )


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "s3cret\r\n"])
def test_a_password_file_may_end_with_a_line_break(tmp_path: Path, text: str) -> None:
    """Editors add one."""
    (tmp_path / "password").write_bytes(text.encode())
    settings = KafkaSettings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="gsr",
        sasl_password_file=str(tmp_path / "password"),
    )
    assert (
        settings.client_arguments("a:1").items()
        >= {
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": "gsr",
            "sasl_plain_password": "s3cret",
        }.items()
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"security_protocol": "SASL_SSL"}, PASSWORD_VARIABLE),
        ({"security_protocol": "SSL", "ssl_ca_file": "/absent.pem"}, "ssl_ca_file.*no file"),
        ({"security_protocol": "SSL", "ssl_ca_file": __file__}, "ssl_ca_file.*no certificates"),
        (
            {"security_protocol": "SSL", "ssl_certificate_file": __file__},
            "ssl_certificate_file.*cannot be used",
        ),
        (
            {"security_protocol": "SASL_PLAINTEXT", "sasl_password_file": "/absent"},
            "sasl_password_file: cannot read /absent",
        ),
    ],
)
def test_credentials_that_cannot_be_used_are_named(
    values: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a broker is asked."""
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(LogError, match=message):
        KafkaSettings(**values).client_arguments("a:1")  # type: ignore[arg-type] # parametrised


@pytest.mark.parametrize(
    "values",
    [
        {"timeout_seconds": 0.0},
        {"session_timeout_seconds": float("nan")},
        {"replication_factor": -1},
        {"fetch_bytes": 0},
    ],
)
def test_what_no_client_can_use_is_refused(values: dict[str, float]) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match=next(iter(values))):
        KafkaSettings(**values)  # type: ignore[arg-type] # parametrised
