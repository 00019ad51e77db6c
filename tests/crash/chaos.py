"""The whole pipeline on Kafka, disturbed at random, and what must hold in the end."""

import functools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from consumers.config.settings import GsrConfig
from stream.clock import SystemClock
from stream.errors import LogUnavailableError
from stream.log.interface import Log
from stream.log.opening import open_log
from tests.crash.disruption import Disruption, Disruptor, schedule
from tests.crash.fleet import Fleet
from tests.crash.shoppers import Shoppers
from tests.crash.slow_reference import compare_with_reference
from tests.crash.verdict import (
    Verdict,
    check_topics,
    compare_sequences,
    compare_states,
    ingest_once,
    reference_of,
)
from tests.kafka_broker import KafkaCluster

_LOGGER = logging.getLogger(__name__)

SESSION_SECONDS: Final = 6.0
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "log": {"partitions": 4},
    "kafka": {"session_timeout_seconds": SESSION_SECONDS, "timeout_seconds": 15.0},
    "ingest": {
        "flush_interval_seconds": 1.0,
        "checkpoint_interval_seconds": 2.0,
        "restore_lead_records": 2000,
    },
    "trainer": {"cycle_seconds": 10.0, "budget_seconds": 5.0, "view_interval_seconds": 2.0},
    "publisher": {"list_length": 10},
    "model": {"dimension": 16},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """How much goes wrong, and over how many clicks.

    Parameters
    ----------
    seed
        Of everything random.
    clicks, clicks_per_second, users, items
        What is sent.
    disruptions
        How many kills and pauses.
    longest_calm_seconds
        Longest pause between two of them.
    settle_seconds
        How long the pipeline may take to finish afterwards.
    roles
        The processes.
    slow_reference
        Whether to compare with the plain-Python reference too; for some ten thousand clicks.
    """

    seed: int = 1
    clicks: int
    clicks_per_second: float
    users: int = 20_000
    items: int = 5000
    disruptions: int
    longest_calm_seconds: float
    settle_seconds: float = 600.0
    roles: tuple[str, ...] = ("ingest-1", "ingest-2", "trainer", "publisher")
    slow_reference: bool = False


@dataclass
class Ledger:
    """What was done and what was found.

    Parameters
    ----------
    disruptions
        How often each thing happened.
    ends
        Member to the exit codes with which it ended by itself.
    stops
        Member to its exit code of the orderly end.
    counts
        What was looked at.
    problems
        None is what is wanted.
    seconds
        How long each stage took.
    """

    disruptions: dict[str, int] = field(default_factory=dict)
    ends: dict[str, list[int]] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run_chaos(
    options: ChaosOptions,
    cluster: KafkaCluster,
    root: Path,
    said: Callable[[str], None] = lambda _line: None,
) -> Ledger:
    """Run it all on a cluster of its own; nothing is left running."""
    clock, ledger = SystemClock(), Ledger()
    fleet = Fleet(root, cluster.url, options.roles, SETTINGS)
    log = open_log(cluster.url, clock, fleet.config.kafka)
    shoppers: Shoppers | None = None
    try:
        for spec in fleet.config.log.topics():
            _retry(functools.partial(log.create_topic, spec))
        with _timed(ledger, "start"):
            fleet.start()
            for member in fleet.of("ingest"):
                member.await_ready()
        shoppers = Shoppers(
            log,
            fleet.config,
            clock,
            seed=options.seed,
            clicks=options.clicks,
            clicks_per_second=options.clicks_per_second,
            users=options.users,
            items=options.items,
        )
        shoppers.start()
        with _timed(ledger, "disruptions"):
            disruptor = Disruptor(fleet, cluster)
            disruptor.run(_plan(options, len(cluster.nodes)), said)
            ledger.disruptions = dict(disruptor.done)
        with _timed(ledger, "sending"):
            said("sending the rest")
            shoppers.finish(options.clicks / options.clicks_per_second + options.settle_seconds)
        ledger.counts["clicks_sent"] = shoppers.sent
        ledger.counts["sending_retries"] = shoppers.retries
        with _timed(ledger, "settling"):
            said("settling")
            await_settled(fleet, log, options.settle_seconds)
        ledger.ends = {name: member.ends for name, member in fleet.members.items() if member.ends}
        ledger.stops = fleet.stop()
        with _timed(ledger, "checking"):
            said("checking")
            _check(fleet, log, root, ledger, slow_reference=options.slow_reference)
    finally:
        if shoppers is not None:
            shoppers.stop()
        fleet.abandon()
        log.close()
    return ledger


def await_settled(fleet: Fleet, log: Log, seconds: float) -> None:
    """Return when every click is durable, every sequence sent and every due list out."""
    deadline = time.monotonic() + seconds
    (publisher,) = fleet.of("publisher")[:1]
    while True:
        fleet.look_after()
        state: dict[str, Any] = {}
        try:
            state = _standing(fleet.config, log)
        except LogUnavailableError as error:
            state = {"log": str(error)}
        if all(one == two for one, two in state.values()) and publisher.is_ready():
            return
        assert time.monotonic() < deadline, f"not settled: {state}\n" + "\n".join(
            member.said() for member in fleet.members.values()
        )
        time.sleep(0.5)


def _standing(config: GsrConfig, log: Log) -> dict[str, tuple[dict[int, int], dict[int, int]]]:
    clicks, sequences, group = config.log.clicks, config.log.sequences, config.ingest.group
    clicks_end, sequences_end = log.end_offsets(clicks), log.end_offsets(sequences)
    return {
        "ingest": (log.saved_positions(group, clicks), clicks_end),
        "sequences": (log.saved_positions(f"{group}-sequences", clicks), clicks_end),
        "publisher": (log.saved_positions(config.publisher.group, sequences), sequences_end),
    }


def _check(fleet: Fleet, log: Log, root: Path, ledger: Ledger, *, slow_reference: bool) -> None:
    found, clock = Verdict(), SystemClock()
    reference = reference_of(fleet.config, root / "reference")
    _retry(lambda: ingest_once(reference, log, clock))
    owners = [member.config.ingest_directory for member in fleet.of("ingest")]
    compare_states(owners, reference.ingest_directory, fleet.config.log.partitions, found)
    compare_sequences(log, fleet.config.log.sequences, reference.log.sequences, found)
    check_topics(log, fleet.config, clock, found)
    if slow_reference:
        compare_with_reference(log, fleet.config, reference.ingest_directory, found)
    ledger.problems += found.problems
    ledger.problems += [f"{name} ended with {code}" for name, code in ledger.stops.items() if code]
    ledger.counts |= found.counts


def _plan(options: ChaosOptions, brokers: int) -> list[Disruption]:
    return schedule(
        np.random.default_rng(options.seed),
        options.disruptions,
        list(options.roles),
        brokers if brokers > 1 else 0,
        session_seconds=SESSION_SECONDS,
        longest_calm_seconds=options.longest_calm_seconds,
    )


def _retry(work: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            work()
        except LogUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)
        else:
            return


class _timed:  # noqa: N801 - used like a function
    def __init__(self, ledger: Ledger, stage: str) -> None:
        self._ledger, self._stage = ledger, stage

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ledger.seconds[self._stage] = round(time.monotonic() - self._began, 1)
