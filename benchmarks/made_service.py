"""A service out of nothing: a catalogue with a graph, a model, lists, and `gsr serve` on them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.role_processes import wait_for
from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.runtime.supervisor import gsr_command
from consumers.serving.view import ServingView, encode_view
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from stream.address import Address
from stream.clock import SystemClock
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.crash.pipeline import free_port

PARTITIONS: Final = 4
SCALED: Final = 0.1
"""Deviation of the made-up weights of the model."""
SETTINGS: Final = {"scrape_roles": "false", "requests_per_second": "off"}
"""Of the API: the other roles are not there, and one client asks for all."""
END_SECONDS: Final = 60.0

Artifact = tuple[bytes, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MadeService:
    """What `gsr serve` answers from.

    Parameters
    ----------
    config, root
        Its configuration, and the folder that all of it lies in.
    items
        In the catalogue: `item-0` and so on.
    store
        Where views and models are.
    view, model
        Those that are there, to be published again.
    """

    config: GsrConfig
    root: Path
    items: int
    store: ArtifactStore
    view: Artifact
    model: Artifact

    @property
    def address(self) -> Address:
        """Where the API answers."""
        return Address(self.config.serve.host, self.config.serve.port)


def make_service(
    root: Path, items: int, users: int, neighbours: int, rng: np.random.Generator
) -> MadeService:
    """Publish a view and a model, and put users (`user-0` and so on) on the topics."""
    config = GsrConfig().with_values(
        {
            "log": {"url": f"embedded:{root / 'log'}", "partitions": PARTITIONS},
            "state": {"directory": root / "state"},
            "serve": {"port": free_port()},
            "http": {"serve_port": free_port()},
        }
    )
    store = open_artifacts(config, SystemClock())
    view = made_view(items, neighbours, config.model, rng)
    model = encode_snapshot(made_model(items, config.model), view.generations, {})
    made = MadeService(config, root, items, store, encode_view(view), model)
    store.publish_view(*made.view)
    store.publish_snapshot(*made.model)
    fill_topics(config, root, users, items, rng)
    return made


@contextmanager
def serving(made: MadeService, **settings: str) -> Iterator[psutil.Process]:
    """Run `gsr serve` with some settings of `[serve]`; yield its process as soon as it is ready.

    Raises
    ------
    RuntimeError
        It did not end in order.
    """
    config, written = made.config, made.root / "serve.log"
    chosen: dict[str, object] = {
        f"serve.{name}": value for name, value in (SETTINGS | settings).items()
    }
    chosen["serve.port"], chosen["http.serve_port"] = config.serve.port, config.http.serve_port
    chosen["log.partitions"] = PARTITIONS
    command = gsr_command("serve", "--log", config.log.url, "--state", str(made.root / "state"))
    command += [word for name in chosen for word in ("--set", f"{name}={chosen[name]}")]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with written.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        wait_for(Address(config.http.host, config.http.serve_port))
        yield psutil.Process(process.pid)
    except BaseException:
        sys.stderr.write(written.read_text(errors="replace")[-5000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(END_SECONDS)
    if code:
        raise RuntimeError(f"gsr serve ended with {code}: {written.read_text()[-2000:]}")


def made_view(
    items: int, neighbours: int, config: RankerConfig, rng: np.random.Generator
) -> ServingView:
    """Return counters of a catalogue: few popular items, and edges mostly towards these."""
    now = time.time()
    half_lives, close = np.array(config.half_lives), np.array(config.close_half_lives)
    columns = len(half_lives) + len(close)
    popularity = (1000.0 / (1.0 + rng.permutation(items))).astype(np.float32)
    targets = (items * rng.random((items, neighbours)) ** 3).astype(np.uint32)
    targets.sort(axis=1)
    references = np.floor(now / np.concatenate([half_lives, close])).astype(np.int64)
    weights = rng.exponential(1.0, (items * neighbours, columns)).astype(np.float32)
    scales = len(half_lives)
    graph = ItemGraph(
        half_lives=half_lives,
        row_starts=np.arange(items, dtype=np.int64) * neighbours,
        row_lengths=np.full(items, neighbours, dtype=np.int32),
        row_references=np.tile(references, (items, 1)),
        neighbours=targets.ravel(),
        weights=weights,
        popularity=np.repeat(popularity[:, None], scales, axis=1),
        popularity_references=np.tile(references[:scales], (items, 1)),
        last_clicks=np.full(items, now),
        alive=np.ones(items, dtype=np.bool_),
        close_half_lives=close,
    )
    return ServingView(
        graph=graph,
        item_ids=[f"item-{n}" for n in range(items)],
        generations=np.zeros(items, dtype=np.int64),
        reference_time=now,
        created_at=now,
        positions=dict.fromkeys(range(PARTITIONS), 1),
    )


def made_model(items: int, config: RankerConfig) -> RankerModel:
    """Return a model whose weights nobody learned: as costly as one that was."""
    model, rng = RankerModel(config, 0), np.random.default_rng(0)
    for weights in (model.linear, *model.network.weights):
        weights[:] = SCALED * rng.standard_normal(weights.shape)
    if model.vectors is not None:
        model.vectors.items.grow(items, rng)
    return model


def fill_topics(
    config: GsrConfig, root: Path, users: int, items: int, rng: np.random.Generator
) -> None:
    """Put a sequence and a list of each user on the topics, and the default list."""
    log = EmbeddedLog(root / "log", SystemClock())
    for spec in config.log.topics():
        log.create_topic(spec)
    now = time.time()
    sequences, lists = [], []
    for user in range(users):
        key = f"user-{user}".encode()
        clicked = [f"item-{n}" for n in (items * rng.random(20) ** 3).astype(int)]
        best = [f"item-{n}" for n in rng.integers(0, items, config.publisher.list_length)]
        record = SequenceRecord(
            user_id=key.decode(),
            items=clicked,
            times=[now - 60.0 * age for age in range(len(clicked), 0, -1)],
            events=["click"] * len(clicked),
            source_partition=partition_of(key, PARTITIONS),
            source_offset=1,
            next_offset=2,
            last_click_at=now - 60.0,
            accepted_at=now,
        )
        sequences.append(Outgoing(key, record.encode()))
        lists.append(Outgoing(key, listed(key.decode(), best, now).encode()))
    default = listed("", [f"item-{n}" for n in range(100)], now)
    for topic, records in (
        (config.log.sequences, sequences),
        (config.log.recommendations, lists),
        (config.log.default_recommendations, [Outgoing(b"default", default.encode())]),
    ):
        writer = log.writer(topic)
        writer.append(records)
        writer.close()
    log.close()


def listed(user: str, items: Sequence[str], now: float) -> Recommendation:
    """Return a list as the publisher sends it."""
    return Recommendation(
        user_id=user,
        items=[ScoredItem(item, 9.0 - 0.1 * n) for n, item in enumerate(items)],
        model_version=1,
        generated_at=now,
        reason="click" if user else "cold",
        source_offset=1 if user else None,
    )
