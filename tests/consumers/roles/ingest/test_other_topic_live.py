"""The topic of clicks is deleted and made anew while ingest runs: it stops, and mixes nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from consumers.config.settings import GsrConfig
from consumers.errors import OtherTopicError
from consumers.roles.ingest.role import IngestRole
from consumers.runtime import topic_watch
from consumers.runtime.role_process import run_role
from stream.clock import SystemClock
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from stream.state.checkpoint import Checkpoint
from tests.kafka_broker import KafkaAddress

PATIENCE_SECONDS = 60.0
CLICKS = 40


def configured(tmp_path: Path, url: str, prefix: str = "") -> GsrConfig:
    """Return settings of an ingest with topics of its own."""
    names = (
        "clicks",
        "dead_letters",
        "sequences",
        "recommendations",
        "default_recommendations",
        "items",
    )
    topics = {name: f"{prefix}{name.replace('_', '-')}" for name in names} if prefix else {}
    return GsrConfig().with_values(
        {
            "state": {"directory": tmp_path / "state"},
            "log": {"url": url, "partitions": 1, **topics},
            "http": {"ingest_port": 0},
            "kafka": {"timeout_seconds": 5.0},
            "ingest": {"group": f"{prefix}ingest"},
        }
    )


def send(config: GsrConfig, user: str, clicks: int) -> None:
    """Append clicks of a user to a topic that is made where it is missing."""
    with closing(open_log(config.log.url, SystemClock(), config.kafka)) as log:
        for spec in config.log.topics():
            log.create_topic(spec)
        now = time.time() - 100.0
        log.writer(config.log.clicks).append(
            [
                Outgoing(user.encode(), encode_click(user, f"i{n}", now + n / 1000))
                for n in range(clicks)
            ]
        )


@contextmanager
def running(config: GsrConfig) -> Iterator[Callable[[], BaseException | None]]:
    """Run an ingest beside the block; yields what returns the error that ended it."""
    ended: list[BaseException] = []
    stop = threading.Event()

    def run() -> None:
        try:
            run_role("ingest", IngestRole, config, stop=stop)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> BaseException | None:
        thread.join(PATIENCE_SECONDS)
        return ended[0] if ended else None

    try:
        yield end
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


def applied(config: GsrConfig) -> tuple[int, set[str]]:
    """Return how far the newest checkpoint is, and which users it knows."""
    found = sorted((config.state.directory / "artifacts").rglob("CURRENT"))
    if not found:
        return 0, set()
    with Checkpoint.open(found[-1].parent) as checkpoint:
        return checkpoint.meta.next_offset, {user for user, _ in checkpoint.users()}


def await_applied(config: GsrConfig) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while applied(config)[0] < CLICKS:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def made_anew(config: GsrConfig, delete: Callable[[], None]) -> None:
    """Stop an ingest by giving it another topic, and start it again."""
    send(config, "old", CLICKS)
    with running(config) as end:
        await_applied(config)
        delete()
        send(config, "new", 3 * CLICKS)
        error = end()
    assert isinstance(error, OtherTopicError), error
    assert config.log.clicks in str(error)
    state = config.ingest_directory / "partition-0"
    with Checkpoint.open(state) as left:
        assert left.meta.next_offset == CLICKS
        assert {user for user, _ in left.users()} == {"old"}
    with running(config) as end:
        again = end()
    assert isinstance(again, OtherTopicError), again
    assert "--state" in str(again)


def test_a_directory_that_is_emptied_and_refilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that ingest has open are nobody's any more."""
    monkeypatch.setattr(topic_watch, "LOOK_SECONDS", 0.1)
    config = configured(tmp_path, f"embedded:{tmp_path / 'log'}")

    def delete() -> None:
        for path in (tmp_path / "log").iterdir():
            path.unlink()

    made_anew(config, delete)


@pytest.mark.kafka
def test_a_topic_that_is_deleted_and_created(
    tmp_path: Path, kafka_broker: KafkaAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new topic has records at the offsets where ingest reads on."""
    monkeypatch.setattr(topic_watch, "LOOK_SECONDS", 0.1)
    config = configured(tmp_path, kafka_broker.url, f"anew{time.time_ns()}.")
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)

    def delete() -> None:
        admin.delete_topics([config.log.clicks])
        deadline = time.monotonic() + PATIENCE_SECONDS
        with closing(open_log(config.log.url, SystemClock())) as log:
            while log.topic_ids([config.log.clicks]):
                assert time.monotonic() < deadline

    with closing(admin):
        made_anew(config, delete)


@pytest.mark.kafka
def test_a_deleted_topic_stays_deleted(
    tmp_path: Path, kafka_broker: KafkaAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest says that it is gone and stops; it does not come back with a cluster's defaults."""
    monkeypatch.setattr(topic_watch, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(topic_watch, "GONE_PATIENCE_SECONDS", 2.0)
    config = configured(tmp_path, kafka_broker.url, f"gone{time.time_ns()}.")
    send(config, "old", CLICKS)
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    with closing(admin), running(config) as end:
        await_applied(config)
        admin.delete_topics([config.log.clicks])
        error = end()
        assert isinstance(error, OtherTopicError), error
        assert "gone" in str(error)
        (answer,) = admin.describe_topics([config.log.clicks])
        assert answer["error_code"] == UnknownTopicOrPartitionError.errno
