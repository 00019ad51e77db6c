"""The task of a contender's process, and its answer."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Drain one topic to warm up, then another one against the clock.

    Parameters
    ----------
    servers
        ``host:port``.
    partitions
        Of both topics.
    warm_topic, warm_events
        What to warm up on, and how many records it holds.
    topic, events
        What to measure on.
    directory
        Where state may lie.
    """

    servers: str
    partitions: int
    warm_topic: str
    warm_events: int
    topic: str
    events: int
    directory: str

    def to_json(self) -> str:
        """Return the task as an argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the task of an argument."""
        return cls(**json.loads(text))


@dataclass(slots=True)
class Stopwatch:
    """Seconds of the wall's clock, and of all threads of this process."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave out what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def read(self) -> dict[str, float]:
        """Return the seconds since the start."""
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return {"seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}


Run = Callable[[Task, str, int], dict[str, Any]]
"""Drains a topic that holds so many events, and returns its figures."""


def answer(run: Run) -> None:
    """Do the task in the last argument, and print the figures of both parts as JSON lines."""
    task = Task.from_json(sys.argv[-1])
    for name, topic, events in (
        ("warm", task.warm_topic, task.warm_events),
        ("measured", task.topic, task.events),
    ):
        figures = run(task, topic, events)
        print(json.dumps({name: {"events": events, **figures}}), flush=True)
