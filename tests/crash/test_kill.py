"""Kill -9 of every role at random moments while clicks flow: nothing is lost, nothing is wrong.

Without anything set a few kills are tried. `GSR_KILLS=50` tries more, `GSR_KILL_SEED=7` others.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from stream.clock import SystemClock
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.records.item_control import ItemControl
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing
from stream.state.dump import dump
from tests.crash.ledger import Ledger, blocked_items, check_lists, dead_letters, lists, sequences
from tests.crash.pipeline import Pipeline

KILLS: Final = int(os.environ.get("GSR_KILLS", "4"))
SEED: Final = int(os.environ.get("GSR_KILL_SEED", "1"))
CLICKS_PER_SECOND: Final = 200.0
LONGEST_DELAY_SECONDS: Final = 1.0
STARTED_SHARE: Final = 0.8
ROLES: Final = ("ingest", "trainer", "publisher")
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ingest": {
        "flush_interval_seconds": 0.3,
        "checkpoint_interval_seconds": 0.5,
        "bad_window_records": 1000,
    },
    "trainer": {
        "cycle_seconds": 2.0,
        "cycle_min_clicks": 50,
        "budget_seconds": 2.0,
        "view_interval_seconds": 0.5,
    },
    "publisher": {"list_length": 10},
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Set up a pipeline that leaves no process behind."""
    pipeline = Pipeline(tmp_path / "live", SETTINGS)
    yield pipeline
    pipeline.abandon()


@pytest.mark.slow
@pytest.mark.timeout(120 + 30 * KILLS)
def test_random_kills(pipeline: Pipeline, tmp_path: Path) -> None:
    """State is byte-equal to an uninterrupted run; lists, sequences and dead letters are right."""
    rng = np.random.default_rng(SEED)
    stop = threading.Event()
    feeder = threading.Thread(target=_feed, args=(pipeline.config, stop))
    for role in ROLES:
        pipeline.start(role)
    feeder.start()
    try:
        _kill_at_random(pipeline, rng)
    finally:
        stop.set()
        feeder.join()
    pipeline.wait_until_settled()
    pipeline.stop()
    assert _problems(pipeline, _uninterrupted(pipeline, tmp_path / "plain")) == []


def _kill_at_random(pipeline: Pipeline, rng: np.random.Generator) -> None:
    pipeline.wait_until_started("publisher")
    for _ in range(KILLS):
        role = str(rng.choice(ROLES))
        if rng.random() < STARTED_SHARE:
            pipeline.wait_until_started(role)
        time.sleep(rng.uniform(0.0, LONGEST_DELAY_SECONDS))  # the random moment itself
        pipeline.kill(role)
        pipeline.start(role)
    for role in ROLES:
        pipeline.wait_until_started(role)


def _feed(config: GsrConfig, stop: threading.Event) -> None:
    """Send simulated clicks, some twice, with bad records, forget records and a take-down."""
    clock = SystemClock()
    log = EmbeddedLog(Path(config.log.url.partition(":")[2]), clock)
    clicks, items = log.writer(config.log.clicks), log.writer(config.log.items)
    shop = SimulatorConfig(users=300, items=200, clicks_per_second=CLICKS_PER_SECOND)
    rng = np.random.default_rng(SEED)
    batch = int(CLICKS_PER_SECOND / 20)
    for n, events in enumerate(Simulator(shop, rng).events(batch_rows=batch)):
        events.times[:] = clock.time()
        records = outgoing_clicks(events)
        if n % 3 == 0:
            records += records[:2]
        if n % 7 == 0:
            records.append(Outgoing(records[0].key, b"{bad"))
        if n % 11 == 0:
            records.append(Outgoing(f"user-{rng.integers(300)}".encode(), None))
        if n == 40:
            control = ItemControl(item_id=events.item_ids[0], available=False)
            items.append([Outgoing(control.item_id.encode(), control.encode())])
        clicks.append(records)
        if stop.wait(batch / CLICKS_PER_SECOND):
            break
    log.close()


def _uninterrupted(pipeline: Pipeline, root: Path) -> GsrConfig:
    """Ingest the same clicks in one go, elsewhere; return the configuration of that place."""
    config = pipeline.config.with_values(
        {"log": {"url": f"embedded:{root / 'log'}"}, "state": {"directory": root / "state"}}
    )
    pipeline.log.close()
    (root / "log").mkdir(parents=True)
    for path in (pipeline.root / "log").glob("clicks.db*"):
        shutil.copy(path, root / "log")
    clock = SystemClock()
    log = EmbeddedLog(root / "log", clock)
    for spec in config.log.topics():
        log.create_topic(spec)
    role = IngestRole(config, log, clock, Metrics("ingest", clock), open_artifacts(config, clock))
    ends = log.end_offsets(config.log.clicks)
    while role.positions() != ends:
        role.step()
    role.close()
    log.close()
    return config


def _problems(pipeline: Pipeline, plain: GsrConfig) -> list[str]:
    """Return everything that differs from what must hold."""
    config = pipeline.config
    log = EmbeddedLog(pipeline.root / "log", SystemClock())
    other = EmbeddedLog(Path(plain.log.url.partition(":")[2]), SystemClock())
    ledger = Ledger.of(log, config)
    problems = []
    for partition in range(config.log.partitions):
        name = f"partition-{partition}"
        live, once = (list(dump(c.ingest_directory / name)) for c in (config, plain))
        if live != once:
            differing = sum(a != b for a, b in zip(live, once, strict=False))
            problems.append(f"{name}: {len(live)}, {len(once)} entries, {differing} differ")
    here, there = sequences(log, config), sequences(other, plain)
    for user in here.keys() | there.keys():
        one, two = here.get(user), there.get(user)
        if (one and (one.items, one.times, one.seen)) != (two and (two.items, two.times, two.seen)):
            problems.append(f"{user}: the sequences differ")
    if sorted(dead_letters(log, config)) != sorted(ledger.bad):
        problems.append("the dead letters are not the bad records")
    artifacts = open_artifacts(config, SystemClock())
    promotions = [
        (float(facts["created_at"]), int(facts["version"])) for facts in artifacts.snapshots()
    ]
    problems += check_lists(ledger, lists(log, config), promotions, blocked_items(log, config))
    log.close()
    other.close()
    return problems
