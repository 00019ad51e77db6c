"""Export of a range of the clicks topic to an event file."""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zstandard

from consumers.errors import ConfigError, NotFoundError
from consumers.topics.log_range import read_range
from stream.errors import UnknownTopicError
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.events.clicks.timestamps import parse_iso
from stream.log.interface import Log, RecordBatch

_OFFSETS: Final = re.compile(r"\d+:\d+(,\d+:\d+)*")
_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")
LOG_URL: Final = re.compile(r"(embedded:|kafka://)")
"""What an argument begins with that names a log and not a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRange:
    """A range of a topic, by time or by offsets.

    Parameters
    ----------
    start, stop
        A time (ISO-8601, or seconds since the epoch) of appending, or offsets as
        ``PARTITION:OFFSET,…``; None: all there is on that side. Records at `stop` are left out.
    """

    start: str | None = None
    stop: str | None = None

    def offsets(self, log: Log, topic: str) -> dict[int, tuple[int, int]]:
        """Return partition → (first offset, offset past the last).

        Raises
        ------
        ConfigError
            `start` or `stop` cannot be understood, or names a partition that there is not.
        NotFoundError
            The topic does not exist.
        """
        try:
            starts, ends = log.start_offsets(topic), log.end_offsets(topic)
        except UnknownTopicError as error:
            raise NotFoundError(str(error)) from None
        first = starts if self.start is None else _resolve(log, topic, self.start, starts)
        last = ends if self.stop is None else _resolve(log, topic, self.stop, ends)
        return {p: (max(first[p], starts[p]), min(last[p], ends[p])) for p in starts}


@dataclass(slots=True)
class Export:
    """Counts of what went into the file.

    Parameters
    ----------
    clicks
        How many.
    refused
        Reason to number of records that are no clicks.
    forgets
        Records that ask to forget a user; a replay knows no forgetting.
    """

    clicks: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    forgets: int = 0


def export_clicks(
    log: Log,
    topic: str,
    wanted: TopicRange,
    rules: EventRules,
    path: Path,
    told: Callable[[int], None] = lambda _count: None,
) -> Export:
    """Write the acceptable clicks of a range to `path`, one JSON object a line, packed.

    Memory does not grow with the range. Values go as they are, so that what the replay reads is
    what ingest read.

    Parameters
    ----------
    log, topic, wanted
        Which records.
    rules
        What makes a click acceptable.
    path
        Should end in ``.jsonl.zst``.
    told
        Told the number of records so far.
    """
    result, records = Export(), 0
    with path.open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packed:
        for partition, (start, stop) in wanted.offsets(log, topic).items():
            codec, watermark = ClickCodec(rules), float("-inf")
            for batch in read_range(log, topic, partition, start, stop):
                decoded = codec.decode(batch, watermark)
                watermark = decoded.watermark
                bad = {one.index for one in decoded.bad}
                packed.write(_lines(batch, bad, result))
                result.refused.update(one.reason for one in decoded.bad)
                records += len(batch)
                told(records)
    return result


def _lines(batch: RecordBatch, bad: set[int], result: Export) -> bytes:
    lines: list[bytes] = []
    for row, value in enumerate(batch.values):
        if row in bad:
            continue
        if value is None:
            result.forgets += 1
            continue
        lines.append(value.translate(_LINE_BREAKS))
    result.clicks += len(lines)
    return b"".join(line + b"\n" for line in lines)


def _resolve(log: Log, topic: str, text: str, others: dict[int, int]) -> dict[int, int]:
    """Return each partition's offset that `text` means; `others` where it names none."""
    if _OFFSETS.fullmatch(text):
        given = {int(p): int(o) for p, o in (pair.split(":") for pair in text.split(","))}
        unknown = given.keys() - others.keys()
        if unknown:
            raise ConfigError(
                f"{topic} has the partitions 0 to {len(others) - 1}, not {min(unknown)}"
            )
        return {**others, **given}
    time = _time(text)
    if time is None:
        raise ConfigError(
            f"{text!r} is neither a time (2026-01-31T12:00:00Z, or seconds since the epoch) nor "
            "offsets (0:1500,1:1620)"
        )
    return log.offsets_at(topic, time)


def _time(text: str) -> float | None:
    try:
        time = float(text)
    except ValueError:
        return parse_iso(text)
    return time if math.isfinite(time) else None
