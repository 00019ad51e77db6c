"""A real Prometheus with the shipped files watches the running roles at work on a real Kafka."""

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.crash.pipeline import free_port
from tests.deploy.files import PROMETHEUS, alert_rules, read_yaml
from tests.kafka_broker import KafkaAddress

ROLES: Final = ("ingest", "trainer", "publisher", "serve")
CLICKS: Final = 1000
DEADLINE_SECONDS: Final = 200.0


@pytest.fixture
def ports() -> dict[str, int]:
    return {name: free_port() for name in (*ROLES, "prometheus")}


@contextmanager
def process(command: Sequence[str | Path], output: Path) -> Iterator[None]:
    """Run a program while the block runs; it must not end by itself, and end well when asked."""
    with output.open("wb") as stream:
        running = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield
        assert running.poll() is None, output.read_text()[-3000:]
    finally:
        running.send_signal(signal.SIGTERM)
        code = running.wait(60)
    assert code == 0, output.read_text()[-3000:]


def shipped_files(directory: Path, ports: dict[str, int]) -> Path:
    """Return the shipped configuration with this machine's targets, asking every second."""
    config = read_yaml(PROMETHEUS / "prometheus.yml")
    config["global"].update(scrape_interval="1s", scrape_timeout="1s", evaluation_interval="1s")
    for job in config["scrape_configs"]:
        for entry in job["static_configs"]:
            name = entry.get("labels", {}).get("role", "prometheus")
            entry["targets"] = [f"127.0.0.1:{ports[name]}"]
    shutil.copy(PROMETHEUS / "alerts.yml", directory)
    path = directory / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


class Api:
    """Prometheus as one asks it."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/v1"

    def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._base}/{path}?{query}", timeout=10) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)["data"]
            return document

    def value(self, query: str) -> float:
        """Return the value of an expression that has one; 0 where it has none yet."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else 0.0


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Wait until it holds; Prometheus may still be starting."""
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        try:
            if holds():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.5)
    pytest.fail(f"not within {DEADLINE_SECONDS:.0f} s: {what}")


def gsr(arguments: Sequence[str], settings: Sequence[str]) -> list[str]:
    return [
        *(sys.executable, "-m", "consumers.cli", *arguments),
        *(word for setting in settings for word in ("--set", setting)),
    ]


@pytest.mark.kafka
@pytest.mark.slow
def test_prometheus_sees_the_whole_service(
    program: Callable[[str], str],
    kafka_broker: KafkaAddress,
    tmp_path: Path,
    ports: dict[str, int],
) -> None:
    """Targets are up, series hold what went through, every rule is evaluated, none is in error."""
    run = uuid.uuid4().hex[:8]
    settings = [
        f"log.url={kafka_broker.url}",
        "log.partitions=2",
        *(f"log.{topic}=watched-{run}-{topic.replace('_', '-')}" for topic in TOPICS),
        *(f"{section}.group=watched-{run}-{section}" for section in ("ingest", "publisher")),
        *(f"http.{role}_port={ports[role]}" for role in ROLES),
        f"serve.port={free_port()}",
        f"state.directory={tmp_path / 'state'}",
        "trainer.cycle_seconds=3",
    ]
    watch = [
        program("prometheus"),
        f"--config.file={shipped_files(tmp_path, ports)}",
        f"--storage.tsdb.path={tmp_path / 'series'}",
        f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
    ]
    api = Api(ports["prometheus"])
    with (
        process(gsr(["run"], settings), tmp_path / "gsr.log"),
        process(watch, tmp_path / "prometheus.log"),
    ):
        eventually("all are up", lambda: api.value('count(up{job="gsr"} == 1)') == len(ROLES))
        feed = gsr(["simulate", "--events", str(CLICKS), "--restamp", "--rate", "500"], settings)
        subprocess.run([*feed, "--log", kafka_broker.url], check=True, timeout=100)
        for query, least in EXPECTED.items():
            eventually(query, lambda query=query, least=least: api.value(query) >= least)  # type: ignore[misc]
        targets = api.ask("targets")["activeTargets"]
        assert [target for target in targets if target["health"] != "up"] == []
        groups = api.ask("rules")["groups"]
        rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
        assert set(rules) == {rule["alert"] for rule in alert_rules()}
        assert [rule for rule in rules.values() if rule["health"] != "ok"] == []
        assert [name for name, rule in rules.items() if rule["state"] == "firing"] == []


TOPICS: Final = (
    *("clicks", "dead_letters", "sequences"),
    *("recommendations", "default_recommendations", "items"),
)
EXPECTED: Final = {
    'sum(gsr_ingest_clicks_total{outcome="accepted"})': 0.9 * CLICKS,
    "sum(gsr_ingest_records_total)": CLICKS,
    "gsr_trainer_clicks_counted_total": 0.9 * CLICKS,
    "gsr_trainer_snapshot_version": 1,
    "sum(gsr_publisher_lists_total)": 1,
    'gsr_serve_records_total{topic="lists"}': 1,
    "sum(rate(gsr_publisher_click_to_list_seconds_count[5m]))": 0.01,
    'count(count by (role) (process_resident_memory_bytes{job="gsr"}))': len(ROLES),
    "count(gsr_build_info)": len(ROLES),
}
