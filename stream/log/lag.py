"""How far a reader is behind."""

from collections.abc import Mapping

from stream.log.interface import Log


def lag(log: Log, topic: str, positions: Mapping[int, int]) -> dict[int, int]:
    """Return how many offsets lie between each of `positions` and its partition's end.

    Parameters
    ----------
    log, topic
        Where.
    positions
        Partition to the offset that is read next. Offsets that compaction removed count too.
    """
    ends = log.end_offsets(topic)
    return {p: max(0, ends[p] - position) for p, position in positions.items()}
