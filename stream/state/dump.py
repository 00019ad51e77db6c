"""All records of a state in order, to compare two states byte by byte.

Tests and measurements use it: nothing that runs does.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from stream.state.checkpoint import Checkpoint
from stream.state.meta import TOPICS_KEY
from stream.state.packing import newest_time
from stream.state.rocks import COLUMN_FAMILIES, scan


def dump(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield (column family, key, value) in order, without users who have expired.

    Which topics the records came from (`StateMeta.topic_ids`) is left out as well.

    Two states of the same records are equal here whatever flushes, evictions and restarts lay
    between. Opens it read-only: run it on a checkpoint, or on a state that nobody has open.
    """
    with Checkpoint.open(path) as checkpoint:
        ttl = checkpoint.meta.config.user_ttl_seconds
        horizon = -math.inf if ttl is None else checkpoint.meta.watermark - ttl
        expired = {
            key for key, value in scan(checkpoint.database, "users") if newest_time(value) < horizon
        }
        for family in COLUMN_FAMILIES:
            for key, value in scan(checkpoint.database, family):
                ids = family == "meta" and key == TOPICS_KEY
                gone = family in {"users", "filters"} and key in expired
                if not ids and not gone:
                    yield family, key, value
