"""Quix Streams doing the benchmark's job; see ../README.md.

    python job.py true|false TASK     (changelog topics on or off; TASK as ../task.py makes it)

Runs in a virtual environment of its own, so it imports nothing of gsr.
"""

import json
import sys
import time
import uuid
from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from quixstreams import Application, State

BUFFER_LENGTH: Final = 64
WINDOW: Final = (1.0, 1.0 / 2.0, 1.0 / 3.0)
WORTH: Final = {"click": 1.0, "view": 1.0, "cart": 2.0, "purchase": 3.0}
# Without it librdkafka waits a second whenever its queue is full (measured: five times slower).
CONSUMER: Final = {"fetch.queue.backoff.ms": 10, "queued.min.messages": 200_000}
PRODUCER: Final = {"linger.ms": 50, "batch.size": 524_288}
COMMIT_SECONDS: Final = 5.0


@dataclass(slots=True)
class Progress:
    """How far a run is, and the clocks at its first click."""

    app: Application
    events: int
    clicks: int = 0
    sent: int = 0
    added: int = 0
    updates: list[list[float]] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0

    def begin(self) -> None:
        """Start the clocks at the first click."""
        if not self.clicks:
            self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop_if_done(self) -> None:
        """Stop once every click was taken and every edge that they sent was added."""
        if self.clicks >= self.events and self.added == self.sent:
            self.app.stop()

    def figures(self) -> dict[str, Any]:
        """Return the seconds since the first click."""
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return {
            "events": self.events,
            "seconds": round(wall, 3),
            "cpu_seconds": round(cpu, 3),
            "edge_updates": self.added,
        }


@dataclass(slots=True)
class Result:
    """What the job has come to."""

    users: int = 0
    buffered: int = 0
    edges: int = 0
    weight: float = 0.0


class Job:
    """Clicks to user buffers, and through a repartition topic to the weights of edges."""

    def __init__(self, progress: Progress, result: Result) -> None:
        self.progress = progress
        self.result = result

    def build(self, app: Application, topic: str) -> None:
        """Describe the pipeline."""
        clicks = app.topic(topic, key_deserializer="str", value_deserializer="json")
        edges = app.dataframe(clicks).apply(self.place, stateful=True, expand=True)
        edges = edges.group_by("source", name="edges")
        edges.update(self.add, stateful=True)

    def place(self, click: dict[str, Any], state: State) -> list[dict[str, Any]]:
        """Put a click in its user's buffer; return the edges that it adds."""
        progress, result = self.progress, self.result
        progress.begin()
        progress.clicks += 1
        time, item = float(click["timestamp"]), click["item_id"]
        event = click.get("event") or "click"
        buffer = state.get("buffer", default=[])
        result.users += not buffer
        entry = [time, item, event]
        position = bisect_right(buffer, time, key=itemgetter(0))
        if entry in buffer or (position == 0 and len(buffer) == BUFFER_LENGTH):
            progress.stop_if_done()
            return []
        edges = []
        for distance, kept in enumerate(reversed(buffer[max(0, position - 3) : position])):
            if kept[1] != item:
                edges.append(edge(kept[1], item, WINDOW[distance] * WORTH[event]))
        for distance, kept in enumerate(buffer[position : position + 3]):
            if kept[1] != item:
                edges.append(edge(item, kept[1], WINDOW[distance] * WORTH[kept[2]]))
        buffer.insert(position, entry)
        result.buffered += len(buffer) <= BUFFER_LENGTH
        state.set("buffer", buffer[-BUFFER_LENGTH:])
        progress.sent += len(edges)
        progress.stop_if_done()
        return edges

    def add(self, edge: dict[str, Any], state: State) -> None:
        """Add a weight to an edge; the message's key, its source, is the state's prefix."""
        weight = state.get(edge["target"])
        self.result.edges += weight is None
        self.result.weight += edge["weight"]
        state.set(edge["target"], (weight or 0.0) + edge["weight"])
        self.progress.added += 1
        self.progress.stop_if_done()


def edge(source: str, target: str, weight: float) -> dict[str, Any]:
    """Return an edge as a record of the repartition topic."""
    return {"source": source, "target": target, "weight": weight}


def run(task: dict[str, Any], topic: str, events: int, *, changelogs: bool) -> dict[str, Any]:
    """Run the job until everything is committed."""
    name = uuid.uuid4().hex[:8]
    app = Application(
        broker_address=task["servers"],
        consumer_group=f"quix-{name}",
        auto_offset_reset="earliest",
        state_dir=Path(task["directory"]) / name,
        use_changelog_topics=changelogs,
        commit_interval=COMMIT_SECONDS,
        consumer_extra_config=CONSUMER,
        producer_extra_config=PRODUCER,
        consumer_poll_timeout=0.1,
        loglevel="WARNING",
    )
    progress, result = Progress(app, events), Result()
    Job(progress, result).build(app, topic)
    app.run()  # ends with a commit: state flushed, changelogs acknowledged, positions saved
    shown = {
        "users": result.users,
        "buffered": result.buffered,
        "edges": result.edges,
        "weight": round(result.weight, 3),
    }
    return {**progress.figures(), **shown}


def main() -> None:
    """Warm up, then measure; print the figures of both as JSON lines."""
    changelogs, task = sys.argv[1] == "true", json.loads(sys.argv[2])
    warm = run(task, task["warm_topic"], task["warm_events"], changelogs=changelogs)
    print(json.dumps({"warm": warm}), flush=True)
    measured = run(task, task["topic"], task["events"], changelogs=changelogs)
    print(json.dumps({"measured": measured}), flush=True)


if __name__ == "__main__":
    main()
