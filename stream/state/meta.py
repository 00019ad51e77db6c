"""What a state says of itself: format, shape, and how far it has come."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from stream.errors import StateCorruptError, StateMismatchError
from stream.state.config import StateConfig

FORMAT_VERSION: Final = 2
"""Version of everything that is stored; another one is refused."""

FORMAT_KEY: Final = b"format"
SHAPE_KEY: Final = b"shape"
PROGRESS_KEY: Final = b"progress"
TOPICS_KEY: Final = b"topics"

_WAY_OUT: Final = (
    "set it back, or run `gsr ingest` with a fresh --state, which reads the log again from its "
    "start"
)


@dataclass(frozen=True, slots=True)
class StateMeta:
    """What a partition's state says of itself.

    Parameters
    ----------
    partition
        Partition of `clicks`.
    next_offset
        Offset of the first record that is not in it.
    watermark
        Newest event time; -inf before the first click.
    feed_start, feed_stop
        Sequence numbers that the accepted feed covers: ``feed_start : feed_stop``.
    next_index
        The index that the next new item will get.
    config
        The shape of the state.
    event_names
        Event names by code.
    counters
        Totals since the state began: ``accepted``, ``duplicates``, ``too_old``, ``forgotten``
        clicks, ``feed_dropped`` rows that fell off the feed, ``items_removed``.
    topic_ids
        What tells the topics that the state belongs to from others of their names
        (`Log.topic_ids`), by what they are to it, such as ``clicks``. Empty before it is known;
        where the log gives no ids, what else tells them apart.
    """

    partition: int
    next_offset: int
    watermark: float
    feed_start: int
    feed_stop: int
    next_index: int
    config: StateConfig
    event_names: tuple[str, ...]
    counters: Mapping[str, int]
    topic_ids: Mapping[str, str] = field(default_factory=dict)


def encode_meta(meta: StateMeta) -> dict[bytes, bytes]:
    """Return the records that hold `meta`."""
    shape = {
        "partition": meta.partition,
        "event_names": meta.event_names,
        "config": asdict(meta.config),
    }
    progress = {
        "next_offset": meta.next_offset,
        "watermark": meta.watermark if math.isfinite(meta.watermark) else None,
        "feed_start": meta.feed_start,
        "feed_stop": meta.feed_stop,
        "next_index": meta.next_index,
        "counters": dict(meta.counters),
    }
    records = {
        FORMAT_KEY: str(FORMAT_VERSION).encode(),
        SHAPE_KEY: _json(shape),
        PROGRESS_KEY: _json(progress),
    }
    if meta.topic_ids:  # a record of its own: states from before there were ids have none
        records[TOPICS_KEY] = _json(dict(meta.topic_ids))
    return records


def decode_meta(records: Mapping[bytes, bytes], place: str) -> StateMeta:
    """Return what the records of `encode_meta` say.

    Raises
    ------
    StateMismatchError
        Another format version.
    StateCorruptError
        Records are missing or senseless.
    """
    version = records.get(FORMAT_KEY)
    if version is not None and version != str(FORMAT_VERSION).encode():
        raise StateMismatchError(
            f"The state in {place} has format {version.decode(errors='replace')}, this version of "
            f"gsr reads format {FORMAT_VERSION}: run `gsr ingest` with a fresh --state, which "
            "reads the log again from its start, or the version of gsr that wrote it."
        )
    try:
        shape = json.loads(records[SHAPE_KEY])
        progress = json.loads(records[PROGRESS_KEY])
        watermark = progress["watermark"]
        return StateMeta(
            partition=shape["partition"],
            next_offset=progress["next_offset"],
            watermark=-math.inf if watermark is None else watermark,
            feed_start=progress["feed_start"],
            feed_stop=progress["feed_stop"],
            next_index=progress["next_index"],
            config=_config(shape["config"]),
            event_names=tuple(shape["event_names"]),
            counters=progress["counters"],
            topic_ids=json.loads(records.get(TOPICS_KEY, b"{}")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateCorruptError(
            f"The state in {place} does not say what it is ({error!r}): restore a backup, or run "
            "`gsr ingest` with a fresh --state, which reads the log again."
        ) from error


def refuse_mismatch(
    meta: StateMeta, partition: int, config: StateConfig, event_names: tuple[str, ...], place: str
) -> None:
    """Refuse to go on with a state that has another shape than the configuration says.

    Raises
    ------
    StateMismatchError
        Names the setting, both values, and the way out.
    """
    if meta.partition != partition:
        raise StateMismatchError(
            f"{place} holds the state of partition {meta.partition}, not of {partition}: "
            "were directories exchanged?"
        )
    for each in fields(StateConfig):
        stored, wanted = getattr(meta.config, each.name), getattr(config, each.name)
        if stored != wanted:
            raise StateMismatchError(
                f"The state in {place} was written with {each.name} = {stored}, the "
                f"configuration says {wanted}: {_WAY_OUT}."
            )
    if event_names[: len(meta.event_names)] != meta.event_names:
        raise StateMismatchError(
            f"The state in {place} was written with the event names {list(meta.event_names)}, the "
            f"configuration says {list(event_names)}; names may only be added at the end: "
            f"{_WAY_OUT}."
        )


def _config(values: dict[str, Any]) -> StateConfig:
    """Return the configuration that was stored; JSON knows no tuples."""
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return StateConfig(**known)


def _json(value: dict[str, Any]) -> bytes:
    """Return the one way to write a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
