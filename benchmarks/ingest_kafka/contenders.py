"""The contenders: how each is started, and how much of the stream it gets."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.ingest_kafka.task import Task

FOLDER: Final = Path(__file__).resolve().parent
QUIX_PYTHON: Final = FOLDER / "quix_streams" / ".venv" / "bin" / "python"
STREAMS_CLASSES: Final = FOLDER / "kafka_streams" / "target" / "classes"
STREAMS_JARS: Final = FOLDER / "kafka_streams" / "target" / "lib"
_JAVA: Final = (
    *("-Xms2g", "-Xmx2g", "-XX:+UseParallelGC"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)
_SECONDS: Final = 900.0
_TAIL: Final = 3000


class ContenderFailedError(Exception):
    """A contender's process failed or answered nothing; the message ends with what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Something that is measured in a process of its own.

    Parameters
    ----------
    name
        In the results.
    what
        In the table.
    command
        Returns the words that start it on a task.
    share
        The part of the events that it gets, so that slow ones take no hour.
    graph
        Whether its result is to be compared with the reference: one graph for all partitions
        (``whole``), one for each (``partitions``), or None where it shows none.
    """

    name: str
    what: str
    command: Callable[[Task], list[str]]
    share: float = 1.0
    graph: str | None = None

    def measure(self, task: Task) -> dict[str, dict[str, Any]]:
        """Run it once; return the figures of ``warm`` and ``measured``.

        Raises
        ------
        ContenderFailedError
            It did not finish, or answered something else.
        """
        with (Path(task.directory) / "errors.log").open("w+b") as errors:
            process = subprocess.Popen(
                self.command(task), stdout=subprocess.PIPE, stderr=errors, env=_environment()
            )
            try:
                output, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
            errors.seek(0)
            said = errors.read().decode(errors="replace")[-_TAIL:]
        answers: dict[str, dict[str, Any]] = {}
        for line in output.splitlines():
            answers.update(json.loads(line))
        if process.returncode or answers.keys() != {"warm", "measured"}:
            raise ContenderFailedError(f"{self.name} ended with {process.returncode}:\n{said}")
        return answers


def ours(module: str, kind: str) -> Callable[[Task], list[str]]:
    """Return the command of a module of this folder."""
    words = [sys.executable, "-m", f"benchmarks.ingest_kafka.{module}", kind]
    return lambda task: [*words, task.to_json()]


def kafka_streams(
    guarantee: str, *, changelogs: bool = True, repartition: bool = True
) -> Callable[[Task], list[str]]:
    """Return the command of the Kafka Streams program."""
    switches = [guarantee, str(changelogs).lower(), str(repartition).lower()]

    def command(task: Task) -> list[str]:
        java = shutil.which("java")
        if java is None or not STREAMS_CLASSES.is_dir():
            raise ContenderFailedError(
                "Kafka Streams is not installed: run python -m benchmarks.ingest_kafka.install"
            )
        classes = f"{STREAMS_CLASSES}:{STREAMS_JARS}/*"
        return [java, *_JAVA, "-cp", classes, "gsr.peer.Main", *switches, task.to_json()]

    return command


def quix_streams(*, changelogs: bool) -> Callable[[Task], list[str]]:
    """Return the command of the Quix Streams program."""
    program = FOLDER / "quix_streams" / "job.py"

    def command(task: Task) -> list[str]:
        if not QUIX_PYTHON.is_file():
            raise ContenderFailedError(
                "Quix Streams is not installed: run python -m benchmarks.ingest_kafka.install"
            )
        return [str(QUIX_PYTHON), str(program), str(changelogs).lower(), task.to_json()]

    return command


def _environment() -> dict[str, str]:
    # Idle threads of numerical libraries would burn CPU time that is charged to the work.
    return {**os.environ, "OMP_NUM_THREADS": "1"}


CONTENDERS: Final = (
    Contender(
        name="transport",
        what="bytes fetched, no record looked at",
        command=ours("drains", "transport"),
    ),
    Contender(
        name="stock",
        what="kafka-python as it comes",
        command=ours("drains", "stock"),
        share=0.25,
    ),
    Contender(
        name="drain",
        what="our reader: columns, CRC checked",
        command=ours("drains", "drain"),
    ),
    Contender(
        name="ingest",
        what="ours to durable state, whole contract",
        command=ours("role", "sequences"),
    ),
    Contender(
        name="ingest-no-sequences",
        what="the same without sequences",
        command=ours("role", "no-sequences"),
    ),
    Contender(
        name="kafka-streams",
        what="at least once, changelogs",
        command=kafka_streams("at_least_once"),
        share=0.25,
        graph="whole",
    ),
    Contender(
        name="kafka-streams-no-changelogs",
        what="at least once, nothing to restore from",
        command=kafka_streams("at_least_once", changelogs=False),
        share=0.25,
        graph="whole",
    ),
    Contender(
        name="kafka-streams-exactly-once",
        what="exactly once (v2), changelogs",
        command=kafka_streams("exactly_once_v2"),
        share=0.25,
        graph="whole",
    ),
    Contender(
        name="kafka-streams-local-graph",
        what="at least once, changelogs, no repartition",
        command=kafka_streams("at_least_once", repartition=False),
        share=0.25,
        graph="partitions",
    ),
    Contender(
        name="quix-streams",
        what="at least once, changelogs",
        command=quix_streams(changelogs=True),
        share=0.05,
        graph="whole",
    ),
    Contender(
        name="quix-streams-no-changelogs",
        what="at least once, nothing to restore from",
        command=quix_streams(changelogs=False),
        share=0.05,
        graph="whole",
    ),
)
