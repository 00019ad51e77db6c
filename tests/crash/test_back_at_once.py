"""A role of `gsr run` that is killed takes its partitions back before its session is over."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.serving.view import encode_view
from stream.clock import SystemClock
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing
from stream.log.kafka.log import KafkaLog
from tests.consumers.publisher_world import ITEMS
from tests.consumers.views import view_of
from tests.kafka_broker import KafkaAddress

SESSION_SECONDS: Final = 900.0
PATIENCE_SECONDS: Final = 300.0
USERS: Final = [f"u{n}" for n in range(40)]
ROOT: Final = Path(__file__).parents[2]


@contextmanager
def running(config: GsrConfig, directory: Path) -> Iterator[psutil.Process]:
    """Run `gsr run` with the settings of `config` that are not the defaults."""
    values = config.model_dump(mode="json", exclude_defaults=True, exclude={"model"})
    flags = [f"{s}.{name}={value}" for s, some in values.items() for name, value in some.items()]
    words = [word for flag in flags for word in ("--set", flag)]
    with (directory / "said").open("wb") as said:
        service = subprocess.Popen(
            [sys.executable, "-m", "consumers.cli", "run", "--no-serve", *words],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stderr=said,
        )
    try:
        yield psutil.Process(service.pid)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)


class Shop:
    """Topics of its own on a broker, and a view to make lists from."""

    def __init__(self, broker: KafkaAddress, directory: Path) -> None:
        name = uuid.uuid4().hex[:12]
        topics = {
            role: f"{role.replace('_', '-')}.{name}"
            for role in (
                *("clicks", "dead_letters", "sequences"),
                *("recommendations", "default_recommendations", "items"),
            )
        }
        self.config = GsrConfig().with_values(
            {
                "log": {**topics, "url": f"kafka://{broker.bootstrap_servers}", "partitions": 2},
                "state": {"directory": directory / "state"},
                "http": {"ingest_port": 0, "trainer_port": 0, "publisher_port": 0},
                "ingest": {"group": f"ingest.{name}"},
                "publisher": {"group": f"publisher.{name}"},
                "kafka": {"session_timeout_seconds": SESSION_SECONDS},
            }
        )
        self._clock = SystemClock()
        self._log = KafkaLog(broker.bootstrap_servers, self._clock)
        for spec in self.config.log.topics():
            self._log.create_topic(spec)
        artifacts = open_artifacts(self.config, self._clock)
        artifacts.publish_view(*encode_view(view_of(ITEMS, now=self._clock.time())))

    def close(self) -> None:
        """Let go of the broker."""
        self._log.close()

    def answered(self, topic: str) -> None:
        """Have everybody click, and wait until `topic` has got something in each partition."""
        before = self._log.end_offsets(topic)
        now = self._clock.time()
        self._log.writer(self.config.log.clicks).append(
            [Outgoing(user.encode(), encode_click(user, "i29", now)) for user in USERS]
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(end <= before[p] for p, end in self._log.end_offsets(topic).items()):
            assert time.monotonic() < deadline, topic
            time.sleep(0.1)


def kill(service: psutil.Process, command: str) -> None:
    """End a role as the kernel would when memory runs out."""
    (role,) = [child for child in service.children() if command in child.cmdline()]
    role.kill()


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(int(2 * SESSION_SECONDS))
def test_a_killed_role_does_not_wait_for_its_own_session(
    kafka_broker: KafkaAddress, tmp_path: Path
) -> None:
    """It comes under its name, and the group gives it what it had."""
    shop = Shop(kafka_broker, tmp_path)
    topics = shop.config.log
    with running(shop.config, tmp_path) as service:
        shop.answered(topics.recommendations)
        kill(service, "ingest")
        shop.answered(topics.sequences)
        kill(service, "publish")
        shop.answered(topics.recommendations)
    shop.close()
