"""Format, shape and progress of a state, as records beside what they describe."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD
from gsr.counters.config import CounterConfig
from stream.errors import StateCorruptError, StateMismatchError

FORMAT_VERSION: Final = 2
"""Version of everything that is stored; another one is refused."""

OUTCOME_TOTALS: Final = {
    "accepted": ACCEPTED,
    "duplicates": DUPLICATE,
    "too_old": TOO_OLD,
    "forgotten": FORGOTTEN,
}
"""What is counted of clicks since the state began, by the name of the total."""
TOTALS: Final = (*OUTCOME_TOTALS, "feed_dropped", "items_removed")
"""Everything that is counted since the state began."""

_OTHER_NAMES: Final = {
    "half_lives": "half_lives_seconds",
    "close_half_lives": "close_half_lives_seconds",
}
_BEFORE_CLOSE_CLICKS: Final[Mapping[str, Any]] = {"close_clicks": 0, "close_half_lives": ()}
"""What states say of themselves that were begun before close clicks were counted."""

FORMAT_KEY: Final = b"format"
SHAPE_KEY: Final = b"shape"
PROGRESS_KEY: Final = b"progress"
TOPICS_KEY: Final = b"topics"

ANEW: Final = (
    "in a fresh --state (keep this one: a fresh state knows only the clicks that the log still "
    "holds, and those before them only after `gsr bootstrap` from their files)"
)
"""How a state is built again, and what that costs."""


@dataclass(frozen=True, slots=True)
class StateMeta:
    """Shape and progress of a partition's state.

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
        clicks, ``feed_dropped`` rows that fell off the feed, ``items_removed``; and
        ``history``, the clicks from before the log that it began with.
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
    config: CounterConfig
    event_names: tuple[str, ...]
    counters: Mapping[str, int]
    topic_ids: Mapping[str, str] = field(default_factory=dict)


def new_meta(partition: int, config: CounterConfig, event_names: tuple[str, ...]) -> StateMeta:
    """Return shape and progress of an empty state."""
    return StateMeta(
        partition=partition,
        next_offset=0,
        watermark=-math.inf,
        feed_start=0,
        feed_stop=0,
        next_index=0,
        config=config,
        event_names=event_names,
        counters=dict.fromkeys((*TOTALS, "history"), 0),
    )


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
            f"gsr reads format {FORMAT_VERSION}: run the version of gsr that wrote it, or build "
            f"the state anew {ANEW}."
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
            f"The state in {place} does not say what it is ({error!r}): stop ingest, and "
            "`gsr state check --live` says what mends it."
        ) from error


def refuse_mismatch(
    meta: StateMeta, partition: int, config: CounterConfig, event_names: tuple[str, ...], place: str
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
    for each in fields(CounterConfig):
        stored, wanted = getattr(meta.config, each.name), getattr(config, each.name)
        if stored != wanted:
            setting = setting_name(each.name)
            raise StateMismatchError(
                f"The state in {place} was written with {setting} = {as_setting(stored)}, the "
                f"configuration says {as_setting(wanted)}: name the file or the settings that it "
                f"was written with (--config FILE, or --set '{setting}={as_setting(stored)}'), "
                f"or build the state anew {ANEW}."
            )
    if event_names[: len(meta.event_names)] != meta.event_names:
        raise StateMismatchError(
            f"The state in {place} was written with the events {', '.join(meta.event_names)} in "
            f"events.weights, the configuration says {', '.join(event_names)}: events may only be "
            "added at the end. Write them in the order of the state (--config FILE names the "
            f"file), or build the state anew {ANEW}."
        )


def setting_name(field: str) -> str:
    """Return the setting that a field of `CounterConfig` comes from, as users write it.

    Examples
    --------
    >>> setting_name("half_lives"), setting_name("max_items")
    ('state.half_lives_seconds', 'state.max_items')
    """
    return f"state.{_OTHER_NAMES.get(field, field)}"


def as_setting(value: object) -> str:
    """Return a value as users write it after ``--set NAME=`` or in a file.

    Examples
    --------
    >>> as_setting((60.0, 3600.0)), as_setting(None)
    ('[60.0, 3600.0]', '"off"')
    """
    return json.dumps("off" if value is None else value)


def _config(values: dict[str, Any]) -> CounterConfig:
    """Return the configuration that was stored; JSON knows no tuples."""
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return CounterConfig(**{**_BEFORE_CLOSE_CLICKS, **known})


def _json(value: dict[str, Any]) -> bytes:
    """Return the one way to write a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
