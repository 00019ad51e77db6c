"""The result that the job must have, worked out in plain Python."""

import bisect
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of

BUFFER_LENGTH: Final = 64
WINDOW: Final = (1.0, 1.0 / 2.0, 1.0 / 3.0)
WORTH: Final = {"click": 1.0, "view": 1.0, "cart": 2.0, "purchase": 3.0}
DEFAULT_EVENT: Final = "click"

Entry = tuple[float, str, str]
"""Time, item and event of a click in a buffer."""


def place(buffer: list[Entry], entry: Entry) -> list[tuple[str, str, float]]:
    """Put a click in its place by time; return the edges (source, target, weight) that it adds."""
    time, item, event = entry
    position = bisect.bisect_right(buffer, time, key=lambda kept: kept[0])
    if entry in buffer or (position == 0 and len(buffer) == BUFFER_LENGTH):
        return []
    before = buffer[max(0, position - len(WINDOW)) : position][::-1]
    behind = buffer[position : position + len(WINDOW)]
    edges = [
        (source, item, weight * WORTH[event])
        for weight, (_, source, _) in zip(WINDOW, before, strict=False)
        if source != item
    ] + [
        (item, target, weight * WORTH[later])
        for weight, (_, target, later) in zip(WINDOW, behind, strict=False)
        if target != item
    ]
    buffer.insert(position, entry)
    del buffer[: max(0, len(buffer) - BUFFER_LENGTH)]
    return edges


def expected(clicks: Iterable[Outgoing], partitions: int = 1) -> dict[str, Any]:
    """Return the figures that a contender's result must show after these clicks.

    Parameters
    ----------
    clicks
        Records of the topic.
    partitions
        How many graphs there are: 1, or one for each of so many partitions.
    """
    buffers: defaultdict[str, list[Entry]] = defaultdict(list)
    edges: defaultdict[tuple[int, str, str], float] = defaultdict(float)
    for record in clicks:
        click = json.loads(record.value or b"")
        partition = partition_of(record.key or b"", partitions)
        event = click.get("event") or DEFAULT_EVENT
        entry = (float(click["timestamp"]), click["item_id"], event)
        for source, target, weight in place(buffers[click["user_id"]], entry):
            edges[partition, source, target] += weight
    return {
        "users": len(buffers),
        "buffered": sum(map(len, buffers.values())),
        "edges": len(edges),
        "weight": round(sum(edges.values()), 3),
    }
