"""Lag: how far a reader is behind a log's end."""

from collections.abc import Mapping
from dataclasses import dataclass

from stream.log.interface import Log


@dataclass(frozen=True, slots=True)
class Lag:
    """The part of a partition that a reader has not read, in offsets, with or without a record.

    Parameters
    ----------
    readable
        Offsets that can be read now.
    withheld
        Offsets behind these that are taken, but not to be read before an open transaction ends.
    past_end
        Offsets that were read and are there no more: the partition ends before the position.
    """

    readable: int
    withheld: int = 0
    past_end: int = 0


def lag(log: Log, topic: str, positions: Mapping[int, int]) -> dict[int, Lag]:
    """Return what lies between each of `positions` and its partition's end.

    Parameters
    ----------
    log, topic
        Where.
    positions
        Partition to the offset that is read next.
    """
    # In this order what is appended between the two questions does not count as withheld.
    written, ends = log.written_offsets(topic), log.end_offsets(topic)
    return {
        partition: Lag(
            readable=max(0, ends[partition] - position),
            withheld=max(0, written[partition] - max(ends[partition], position)),
            past_end=max(0, position - ends[partition]),
        )
        for partition, position in positions.items()
    }
