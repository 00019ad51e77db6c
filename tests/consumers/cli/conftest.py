"""An empty directory for each test of commands, without settings of others."""

from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.log.opening import open_log


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GSR_CONFIG", raising=False)


@pytest.fixture
def topics() -> None:
    """Make the topics, as ingest does."""
    log = open_log("embedded:run/log", SystemClock())
    for spec in GsrConfig().log.topics():
        log.create_topic(spec)
    log.close()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the question asked although standard input is no terminal."""
    monkeypatch.setattr("consumers.cli.commands.can_ask", lambda: True)
