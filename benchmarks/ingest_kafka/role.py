"""The ingest role from Kafka to durable state: `python -m benchmarks.ingest_kafka.role KIND TASK`.

This is the role that `gsr ingest` runs, with its own loop body, configured by the defaults: CRC
checks, validation, dead letters, four time scales of edges and popularity, seen filters, the
accepted feed, flushes, checkpoints and, unless KIND is `no-sequences`, sequences.
"""

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.ingest_kafka.task import Stopwatch, Task, answer
from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.roles.ingest.sequences import PartitionSequences
from consumers.runtime.garbage import collect_rarely
from stream.clock import SystemClock
from stream.log.interface import Log
from stream.log.opening import open_log


def configured(task: Task, topic: str, directory: Path) -> GsrConfig:
    """Return the defaults, with a group, topics and state of this run's own."""
    name = uuid4().hex[:8]
    return GsrConfig().with_values(
        {
            "log": {
                "url": f"kafka://{task.servers}",
                "partitions": task.partitions,
                "clicks": topic,
                "dead_letters": f"dlq-{name}",
                "sequences": f"sequences-{name}",
                "clicks_retention_seconds": "off",
            },
            "ingest": {"group": f"ingest-{name}"},
            "state": {"directory": directory / name},
        }
    )


def ingest(task: Task, topic: str, events: int) -> dict[str, Any]:
    """Run the role until every click is durable; return figures of that time alone."""
    config = configured(task, topic, Path(task.directory))
    clock, metrics = SystemClock(), Metrics("ingest", SystemClock())
    log = open_log(config.log.url, clock)
    create_topics(log, config)
    role = IngestRole(config, log, clock, metrics, open_artifacts(config, clock))
    watch = Stopwatch()
    open_partitions = role._partitions.advance  # noqa: SLF001 - a benchmark looks inside

    def open_apart() -> bool:
        with watch.stopped():  # the peers' stores are open before their first click, too
            return open_partitions()

    role._partitions.advance = open_apart  # type: ignore[method-assign]  # noqa: SLF001 - same
    try:
        while (done := sum(role.positions().values())) < events:
            if not done:  # joining the group is not part of the work
                watch = Stopwatch()
            role.step()
        for part in role._parts.values():  # noqa: SLF001 - as the last flush of a stop does
            part.flush()
        role._partitions.save_positions()  # noqa: SLF001 - same
        figures: dict[str, Any] = watch.read()
        names = ("gsr_ingest_sequences_total", "gsr_ingest_checkpoints_total")
        counts = [int(metrics.registry.get_sample_value(name) or 0) for name in names]
        waiting = sum(part.sequences.waiting_users for part in role._parts.values())  # noqa: SLF001
    finally:
        role._failed = True  # noqa: SLF001 - let go without sending what still waits
        role.close()
        log.close()
    return {
        **figures,
        "sequences": counts[0],
        "users_waiting_for_sequences": waiting,
        "checkpoints": counts[1],
    }


def create_topics(log: Log, config: GsrConfig) -> None:
    """Create what the role writes to."""
    for spec in config.log.topics():
        if spec.name in {config.log.dead_letters, config.log.sequences}:
            log.create_topic(spec)


def switch_sequences_off() -> None:
    """Note no user whose sequence is to be sent, in this process."""
    PartitionSequences.touch = lambda *_: None  # type: ignore[method-assign]


def main() -> None:
    """Do the task in the last argument."""
    if sys.argv[1] == "no-sequences":
        switch_sequences_off()
    collect_rarely()
    answer(ingest)


if __name__ == "__main__":
    main()
