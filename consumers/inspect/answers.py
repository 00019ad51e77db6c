"""Answers about one user or item, put together from checkpoints, views and the log."""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from consumers.artifacts.store import open_artifacts
from consumers.artifacts.written_settings import as_written
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, NotFoundError
from consumers.serving.item_controls import ItemControls
from consumers.serving.view import decode_view
from consumers.topics.log_lookup import newest_record
from consumers.topics.log_range import read_range
from gsr.counters.partition_items import PartitionItems
from stream.clock import SystemClock
from stream.errors import RecordFormatError
from stream.events.records.recommendation import decode_recommendation
from stream.events.records.sequence import decode_sequence
from stream.log.interface import Log
from stream.log.partitioner import partition_of
from stream.state.checkpoint import Checkpoint

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


def user_facts(config: GsrConfig, log: Log, key: bytes) -> dict[str, Any]:
    """Return a user's clicks as the newest checkpoint has them, and the last list sent.

    Raises
    ------
    NotFoundError
        Neither the state nor the recommendations know the user.
    """
    user_id = key.decode()
    partition = partition_of(key, len(log.end_offsets(config.log.recommendations)))
    sent = newest_record(log, config.log.recommendations, key)
    answer: dict[str, Any] = {
        "user_id": user_id,
        "partition": partition,
        "clicks": [],
        "seen_before": 0,
        "list": None,
    }
    if sent is not None and sent[1] is not None:
        listed = _readable(decode_recommendation, sent[1], "the list on the topic")
        answer["list"] = msgspec.to_builtins(listed)
    store = open_artifacts(config, SystemClock())
    number = store.newest_checkpoints().get(partition)
    known = False
    if number is not None:
        with Checkpoint.open(store.checkpoint_path(partition, number)) as checkpoint:
            buffer = checkpoint.buffers([user_id]).get(user_id)
            if buffer is not None:
                known = True
                names = dict(checkpoint.vocabulary())
                events = checkpoint.meta.event_names
                answer["seen_before"] = len(buffer.seen)
                answer["clicks"] = [
                    {
                        "time": iso_time(moment),
                        "event": events[event],
                        "item_id": names.get(index, "(an item that has expired)"),
                    }
                    for moment, event, index in zip(
                        buffer.times.tolist(),
                        buffer.events.tolist(),
                        buffer.items.tolist(),
                        strict=True,
                    )
                ]
    if not known and answer["list"] is None:
        raise NotFoundError(
            f"nothing is known of user {user_id!r}. A new click shows here a few seconds later, "
            "once ingest has published a checkpoint."
        )
    return answer


def item_facts(config: GsrConfig, item_id: str, top: int) -> dict[str, Any]:
    """Return an item's popularity and strongest neighbours, summed over the partitions.

    Weights are as of the newest watermark.

    Raises
    ------
    NotFoundError
        No partition's newest checkpoint knows the item.
    """
    store = open_artifacts(config, SystemClock())
    newest = store.newest_checkpoints()
    if not newest:
        raise NotFoundError(
            f"there are no checkpoints in {config.artifacts_url} yet: ingest publishes the first "
            "ones a few seconds after the first clicks. Does `gsr run` run, with the same --state?"
        )
    with ExitStack() as stack:
        checkpoints = [
            stack.enter_context(Checkpoint.open(store.checkpoint_path(partition, number)))
            for partition, number in newest.items()
        ]
        now = max(checkpoint.meta.watermark for checkpoint in checkpoints)
        tables = [checkpoint.items() for checkpoint in checkpoints]
    # Each state has its own half-lives, whatever the configuration says.
    scales = sorted({scale for table in tables for scale in table.graph.half_lives.tolist()})
    popularity = np.zeros(len(scales))
    weights: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(scales)))
    last_click = -math.inf
    for table in tables:
        if item_id in table.ids:
            row = table.ids.index(item_id)
            columns = np.searchsorted(scales, table.graph.half_lives)
            np.add.at(popularity, columns, _popularity(table, row, now))
            last_click = max(last_click, float(table.graph.last_clicks[row]))
            for name, found in _neighbours(table, row, now):
                np.add.at(weights[name], columns, found)
    if last_click == -math.inf:
        raise NotFoundError(f"item {item_id!r} is not known, or has expired")
    strongest = sorted(weights, key=lambda name: (-weights[name].max(), name))[:top]
    return {
        "item_id": item_id,
        "last_click": iso_time(last_click),
        "half_lives_seconds": scales,
        "popularity": popularity.tolist(),
        "neighbours": [{"item_id": name, "weights": weights[name].tolist()} for name in strongest],
    }


def current_list(config: GsrConfig, log: Log, key: bytes, length: int) -> dict[str, Any]:
    """Make a user's list from the newest view and model, with the parts of each score.

    Raises
    ------
    ArtifactError
        There is no serving view yet.
    """
    from consumers.serving.newest_artifacts import Serving  # noqa: PLC0415  # torch: the other questions need none

    clock = SystemClock()
    store = open_artifacts(config, clock)
    if not store.current_view():
        raise ArtifactError(
            f"there is no serving view in {config.artifacts_url} yet: the trainer makes the first "
            "one a few seconds after the first clicks. Does `gsr run` run, with the same --state?"
        )
    view = store.read_view()
    half_lives = decode_view(view.tensors, view.metadata).graph.half_lives.tolist()
    serving = Serving(as_written(config, store, half_lives), store, clock)
    serving.refresh()
    controls = ItemControls()
    _read_controls(log, config.log.items, controls, clock.time())
    serving.recommender.block(controls.blocked)
    found = newest_record(log, config.log.sequences, key)
    record = None
    if found is not None and found[1] is not None:
        record = _readable(decode_sequence, found[1], "the user's sequence on the topic")
    if record is None:
        clicks, items = 0, serving.recommender.default_list(length)
        parts: list[dict[str, float]] = [{} for _ in items]
    else:
        made, explanations = serving.recommender.explain(record, length)
        clicks, items = len(record.items), made.items
        parts = [dict(why.parts) for why in explanations]
    return {
        "user_id": key.decode(),
        "model_version": serving.version,
        "view_age_seconds": max(0.0, clock.time() - serving.view_created_at),
        "clicks": clicks,
        "items": [
            {"item_id": entry.item_id, "score": entry.score, "parts": why}
            for entry, why in zip(items, parts, strict=True)
        ],
    }


def iso_time(seconds: float) -> str:
    """Return a moment as ISO-8601 in UTC.

    Examples
    --------
    >>> iso_time(0.0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _readable(decode: Callable[[bytes], T], value: bytes, what: str) -> T | None:
    """Return a record of ours; None, said, where it is none."""
    try:
        return decode(value)
    except RecordFormatError as error:
        _LOGGER.warning("%s cannot be read: %s", what, error)
        return None


def _read_controls(log: Log, topic: str, controls: ItemControls, now: float) -> None:
    starts = log.start_offsets(topic)
    for partition, end in log.end_offsets(topic).items():
        for batch in read_range(log, topic, partition, starts[partition], end):
            controls.apply(batch, now)


def _popularity(table: PartitionItems, row: int, now: float) -> npt.NDArray[np.float64]:
    graph = table.graph
    age = graph.popularity_references[row] - now / graph.half_lives
    return np.asarray(graph.popularity[row] * np.exp2(age), dtype=np.float64)


def _neighbours(
    table: PartitionItems, row: int, now: float
) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Yield the items that are clicked after the one in `row`, and their weights by scale."""
    graph = table.graph
    start = int(graph.row_starts[row])
    slots = slice(start, start + int(graph.row_lengths[row]))
    factor = np.exp2(graph.row_references[row] - now / graph.half_lives)
    for neighbour, stored in zip(
        graph.neighbours[slots].tolist(), graph.weights[slots], strict=True
    ):
        yield table.ids[neighbour], stored * factor
