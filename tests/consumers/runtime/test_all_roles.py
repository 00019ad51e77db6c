"""`gsr run` as one would run it: three roles, clicks in, lists out, an orderly end."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from consumers.runtime.all_roles import role_children
from stream.clock import SystemClock
from stream.log.opening import open_log
from tests.crash.pipeline import free_port

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
GSR = [sys.executable, "-m", "consumers.cli"]
FLAGS = [
    *("--log", "embedded:log", "--state", "state"),
    *("--set", "http.ingest_port=0", "--set", "http.trainer_port=0"),
    *("--set", "http.publisher_port=0", "--set", "http.serve_port=0"),
    *("--set", "serve.port=0", "--set", "ingest.checkpoint_interval_seconds=1"),
    *("--set", "trainer.view_interval_seconds=1"),
]


def test_children_get_the_same_configuration(tmp_path: Path) -> None:
    """File and flags reach each role as variables."""
    children = role_children(tmp_path / "gsr.toml", {"log.url": "embedded:x"})
    assert [child.name for child in children] == ["ingest", "trainer", "publisher", "serve"]
    for child in children:
        assert child.environment == {
            "GSR_CONFIG": str(tmp_path / "gsr.toml"),
            "GSR_LOG__URL": "embedded:x",
        }


def test_the_api_may_be_left_out() -> None:
    """Nothing else needs it."""
    children = role_children(None, {}, serve=False)
    assert [child.name for child in children] == ["ingest", "trainer", "publisher"]


def answered(url: str) -> dict[str, Any]:
    """Return the document at `url`."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # our own
        document: dict[str, Any] = json.load(answer)
        return document


@pytest.mark.slow
def test_clicks_become_lists_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """The whole pipeline, from `gsr simulate` to the topic of recommendations."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    api = f"127.0.0.1:{free_port()}"
    service = subprocess.Popen(
        [*GSR, "run", *FLAGS, "--set", f"serve.port={api.partition(':')[2]}"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        subprocess.run(
            [*GSR, "simulate", "--log", "embedded:log", "--events", "500", "--restamp"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
        )
        log = open_log(f"embedded:{tmp_path / 'log'}", SystemClock())
        deadline = time.monotonic() + 240
        while not sum(log.end_offsets("recommendations").values()):
            assert service.poll() is None
            assert time.monotonic() < deadline, "no list within four minutes"
            time.sleep(0.2)
        log.close()
        while not (status := answered(f"http://{api}/v1/status"))["topics"]["clicks"]["records"]:
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
        children = psutil.Process(service.pid).children()
        assert len(children) == 4
        service.send_signal(signal.SIGINT)
        _, messages = service.communicate(timeout=60)
    finally:
        service.kill()
    assert service.returncode == 0, messages
    assert "Traceback" not in messages
    assert "leak" not in messages
    assert f"http://{api}/ is a page to look at" in messages
    assert list(temporary.iterdir()) == []
    for name in ("ingest", "trainer", "publisher", "serve"):
        assert any(line.startswith(name) and "stopped" in line for line in messages.splitlines()), (
            messages
        )
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
