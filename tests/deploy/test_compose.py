"""The compose file fits the code: settings, commands, ports, files. Docker itself is not run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumers.cli.application import app
from consumers.config.loading import load_config
from consumers.config.settings import GsrConfig
from tests.deploy.files import DEPLOY, PROMETHEUS, ROOT, read_yaml

COMPOSE = read_yaml(DEPLOY / "compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ROLES = ("ingest", "trainer", "publisher", "serve")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def configured(service: str, monkeypatch: pytest.MonkeyPatch) -> GsrConfig:
    """Load the configuration with a service's environment over the image's."""
    for name, value in {**image_environment(), **SERVICES[service]["environment"]}.items():
        monkeypatch.setenv(name, str(value))
    return load_config()


def image_environment() -> dict[str, str]:
    """Return what the last stage of the Dockerfile sets."""
    final = DOCKERFILE.replace("\\\n", " ").rpartition("\nFROM ")[2]
    found: dict[str, str] = {}
    for line in re.findall(r"^ENV (.*)$", final, flags=re.MULTILINE):
        for word in shlex.split(line):
            name, _, value = word.partition("=")
            found[name] = value
    return found


@pytest.mark.parametrize("role", ROLES)
def test_settings_and_commands_exist(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable is a setting of ours, and the command is one of `gsr`."""
    config = configured(role, monkeypatch)
    assert config.log.url == "kafka://kafka:9092"
    assert config.http.host == "0.0.0.0"  # noqa: S104  # in the project's own network
    assert config.process.log_format == "json"
    (command,) = SERVICES[role]["command"]
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_confined(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No root, no writable root file system, no capabilities, time enough to stop."""
    service = SERVICES[role]
    assert service["read_only"] is True
    assert service["user"] == re.search(r"^USER (.*)$", DOCKERFILE, flags=re.MULTILINE)[1]  # type: ignore[index]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    config = configured(role, monkeypatch)
    assert int(service["stop_grace_period"].removesuffix("s")) > config.process.stop_seconds
    assert image_environment()["XDG_CACHE_HOME"].startswith(service["tmpfs"][0].split(":")[0])


def test_roles_share_state_and_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One volume, so that checkpoints are hard links; only readers have it read-only."""
    for role in ROLES:
        config = configured(role, monkeypatch)
        volume, *own = SERVICES[role]["volumes"]
        reads = role in {"publisher", "serve"}
        assert volume == ("data:/data:ro" if reads else "data:/data")
        assert own == (["users:/users"] if role == "serve" else [])
        assert not own or config.serve_directory.is_relative_to("/users")
        assert config.state.directory == Path("/data/state")
        assert Path(config.artifacts_url).is_relative_to("/data")


def test_ports_are_published_on_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no authentication: nobody else reaches /metrics, Kafka or Prometheus."""
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)
    for role in ROLES:
        port = getattr(configured(role, monkeypatch).http, f"{role}_port")
        own = [configured(role, monkeypatch).serve.port] if role == "serve" else []
        assert ports[role] == [f"127.0.0.1:{one}:{one}" for one in (*own, port)]
        assert str(port) in re.search(r"^EXPOSE (.*)$", DOCKERFILE, flags=re.MULTILINE)[1].split()  # type: ignore[index]


def test_prometheus_asks_the_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scrape configuration names the services and their ports."""
    jobs = {
        job["job_name"]: job for job in read_yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    }
    asked = {
        entry["labels"]["role"]: target
        for entry in jobs["gsr"]["static_configs"]
        for target in entry["targets"]
    }
    for role in ROLES:
        port = getattr(configured(role, monkeypatch).http, f"{role}_port")
        assert asked[role] == f"{role}:{port}"


def test_named_files_exist() -> None:
    """What is built from, and what is mounted."""
    build = SERVICES["ingest"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    mounts = [volume.split(":")[0] for s in SERVICES.values() for volume in s.get("volumes", [])]
    assert all((DEPLOY / mount).is_file() for mount in mounts if mount.startswith("."))
    named = {mount for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])


def test_kafka_is_the_tested_one() -> None:
    """The broker of the tests and the one that is deployed have the same version."""
    pinned = re.search(r"<kafka\.version>(.*)</kafka", (DEPLOY / "kafka" / "pom.xml").read_text())
    assert pinned is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{pinned[1]}"


def test_a_redrive_is_remembered_for_longer_than_its_letters() -> None:
    """Kafka forgets positions of idle groups; dead letters must be gone before that."""
    minutes = SERVICES["kafka"]["environment"]["KAFKA_OFFSETS_RETENTION_MINUTES"]
    stay = GsrConfig().log.dead_letters_retention_seconds
    assert stay is not None
    assert minutes * 60 > stay


def test_the_image_copies_what_is_there_and_nothing_else() -> None:
    """Each COPY has its file, and .dockerignore lets it through."""
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, flags=re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)
