"""Whatever goes wrong around it, a role goes on by itself or says what to do."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from consumers.config.settings import GsrConfig
from consumers.roles.ingest.role import IngestRole
from stream.clock import ManualClock, SystemClock
from stream.events.clicks.encoding import encode_click
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log, Outgoing
from stream.log.opening import open_log
from stream.state.store import PartitionStore
from tests.conftest import missing
from tests.consumers.ingest_world import NOW, World, clicks_of
from tests.crash.fleet import Fleet
from tests.crash.pipeline import ask
from tests.crash.verdict import Verdict, compare_states, ingest_once, reference_of
from tests.kafka_broker import KafkaAddress, KafkaCluster, kafka_cluster
from tests.kafka_jars import KafkaMissingError

DEADLINE_SECONDS: Final = 120.0
OUTAGE_SECONDS: Final = float(os.environ.get("GSR_OUTAGE_SECONDS", "12"))
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "log": {"partitions": 2},
    "kafka": {"session_timeout_seconds": 6.0, "timeout_seconds": 5.0},
    "ingest": {"flush_interval_seconds": 0.5, "checkpoint_interval_seconds": 1.0},
}


class JumpingClock(ManualClock):
    """A clock whose time of day is set by hand, as by a careless operator or by NTP."""

    offset = 0.0

    def time(self) -> float:
        return super().time() + self.offset


# -- with a broker of its own --------------------------------------------------------------------


@pytest.fixture
def cluster() -> Iterator[KafkaCluster]:
    """Run a broker that may be killed."""
    try:
        with kafka_cluster() as cluster:
            yield cluster
    except KafkaMissingError as error:
        missing(str(error))


@pytest.mark.kafka
@pytest.mark.slow
def test_all_brokers_gone(cluster: KafkaCluster, tmp_path: Path) -> None:
    """Ingest stays alive, says what it waits for, and goes on; an older owner is fenced off."""
    fleet = Fleet(tmp_path / "live", cluster.url, ("ingest-1", "ingest-2"), SETTINGS)
    with closing(open_log(cluster.url, SystemClock(), fleet.config.kafka)) as log:
        for spec in fleet.config.log.topics():
            log.create_topic(spec)
        one, two = fleet.members.values()
        try:
            fleet.start()
            for member in (one, two):
                member.await_ready()
            _send(log, fleet.config, range(200))
            _await(fleet, lambda: _durable(log, fleet.config))
            cluster.nodes[0].kill()
            time.sleep(OUTAGE_SECONDS)  # the outage itself
            for member in (one, two):
                assert json.loads(ask(f"http://127.0.0.1:{member.port}/livez"))["ok"]
            cluster.restart()
            # The first is stopped in the middle and goes on after its partitions have moved.
            one.pause()
            _send(log, fleet.config, range(200, 400))
            _await(fleet, lambda: _durable(log, fleet.config))
            one.resume()
            _send(log, fleet.config, range(400, 500))
            _await(fleet, lambda: _durable(log, fleet.config))
            _await(fleet, one.is_ready)
            assert (one.ends, two.ends) == ([], [])
            assert one.process is not None
            assert one.process.poll() is None
            codes = fleet.stop()
        finally:
            fleet.abandon()
        assert codes == {"ingest-1": 0, "ingest-2": 0}, one.said() + two.said()
        reference = reference_of(fleet.config, tmp_path / "reference")
        ingest_once(reference, log, SystemClock())
        owners = [member.config.ingest_directory for member in (one, two)]
        found = Verdict()
        compare_states(owners, reference.ingest_directory, 2, found)
        assert found.problems == []
        assert found.counts["state_entries"] > 0


def _send(log: Log, config: GsrConfig, numbers: range) -> None:
    writer = log.writer(config.log.clicks)
    now = time.time()
    writer.append(
        [Outgoing(f"u{n % 20}".encode(), encode_click(f"u{n % 20}", f"i{n}", now)) for n in numbers]
    )
    writer.close()


def _durable(log: Log, config: GsrConfig) -> bool:
    clicks = config.log.clicks
    return log.saved_positions(config.ingest.group, clicks) == log.end_offsets(clicks)


def _await(fleet: Fleet, told: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not told():
        assert time.monotonic() < deadline, "".join(one.said() for one in fleet.members.values())
        time.sleep(0.2)


# -- with the broker that all tests share --------------------------------------------------------


@pytest.mark.kafka
def test_a_record_larger_than_a_fetch(kafka_broker: KafkaAddress, tmp_path: Path) -> None:
    """It is set aside as too large, and what comes after it is applied."""
    own = uuid.uuid4().hex
    names = ("clicks", "dead_letters", "sequences", "recommendations", "items")
    config = GsrConfig().with_values(
        {
            "log": {
                "url": kafka_broker.url,
                "partitions": 1,
                "default_recommendations": f"{own}.default",
                **{name: f"{own}.{name.replace('_', '.')}" for name in names},
            },
            "kafka": {"fetch_bytes": 10_000, "partition_fetch_bytes": 1000},
            "state": {"directory": tmp_path},
            "ingest": {"group": own, "max_bad_share": 1.0},
        }
    )
    clock = SystemClock()
    with closing(open_log(config.log.url, clock, config.kafka)) as log:
        for spec in config.log.topics():
            log.create_topic(spec)
        log.writer(config.log.clicks).append([Outgoing(b"u", b"{" + b" " * 500_000)])
        _send(log, config, range(10))
        ingest_once(config, log, clock)
        assert sum(log.end_offsets(config.log.dead_letters).values()) == 1
        assert sum(log.saved_positions(own, config.log.clicks).values()) == 11


# -- where the broker does not matter ------------------------------------------------------------


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_the_clock_jumps(tmp_path: Path, jump: float) -> None:
    """Clicks go on being applied, told and checkpointed; state depends on the log alone."""
    clock = JumpingClock(NOW)
    world = World(tmp_path / "live", partitions=1, clock=clock, log=MemoryLog(clock))
    role = world.role()
    users = [f"u{n}" for n in range(5)]
    world.send(*clicks_of(users, 3))
    world.run(role, 6.0)
    clock.offset = jump
    world.topics.writer("clicks").append(
        [Outgoing(b"u0", encode_click("u0", "after", NOW + 10.0 + max(0.0, jump)))]
    )
    until = clock.monotonic() + 20.0
    while clock.monotonic() < until:
        role.step()
        clock.sleep(0.01)
    assert world.newest("u0").items[-1] == "after"
    assert world.artifacts.newest_checkpoints() == world.topics.end_offsets("clicks")
    role.close()


def test_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushes that take half a minute delay, lose nothing, and show."""
    world = World(tmp_path, partitions=1)
    flush = PartitionStore.flush

    def slow(store: PartitionStore) -> None:
        if store.durable_offset < store.next_offset:
            world.clock.sleep(30.0)
        flush(store)

    monkeypatch.setattr(PartitionStore, "flush", slow)
    role = world.role()
    for n in range(5):
        world.send(*clicks_of([f"u{n}"], 5))
        world.run(role, 40.0)
    role.close()
    assert world.value("gsr_ingest_flush_seconds_sum") >= 5 * 30.0
    assert world.topics.saved_positions("gsr-ingest", "clicks") == world.topics.end_offsets(
        "clicks"
    )


def test_liveness_follows_progress_and_not_messages(tmp_path: Path) -> None:
    """An idle topic is no trouble: a step that comes round beats."""
    world = World(tmp_path)
    role: IngestRole = world.role()
    for _ in range(100):
        role.step()
        world.metrics.step_done()
        world.clock.sleep(3.0)
    assert world.metrics.heartbeat_age() <= 3.1
    assert role.checks() == {"assigned": True, "caught_up": True, "progressing": True}
    role.close()
