"""Clicks, record batches and the definition of a click's hash, for tests."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from xxhash import xxh3_64_intdigest

from stream.log.interface import Headers, RecordBatch

NOW = 1_506_826_800.0


def click_json(**changes: Any) -> bytes:
    """Return a good click's value with some fields changed; `...` removes a field."""
    fields = {"user_id": "u1", "item_id": "i1", "timestamp": NOW, **changes}
    return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()


def click_hash(item_id: str, time: float, event: str, event_id: str | None = None) -> int:
    """Return the hash of one click by its definition, in plain Python."""
    if event_id is not None:
        return xxh3_64_intdigest(event_id.encode(), 1)
    bits = int(np.float64(time + 0.0).view(np.uint64))
    kind = xxh3_64_intdigest(event.encode())
    return _mix(xxh3_64_intdigest(item_id.encode()) + _mix(bits ^ kind))


def _mix(word: int) -> int:
    """Return the finaliser of SplitMix64."""
    word %= 1 << 64
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % (1 << 64)
    word = (word ^ word >> 27) * 0x94D049BB133111EB % (1 << 64)
    return word ^ word >> 31


def batch_of(
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None] | None = None,
    *,
    first_offset: int = 0,
    append_times: Sequence[float] | None = None,
    headers: Sequence[Headers] = (),
) -> RecordBatch:
    """Return a batch of records of partition 3, all keyed "u1" and appended at NOW by default."""
    count = len(values)
    return RecordBatch(
        "clicks",
        3,
        np.arange(first_offset, first_offset + count),
        np.full(count, NOW) if append_times is None else np.array(append_times, dtype=np.float64),
        [b"u1"] * count if keys is None else list(keys),
        list(values),
        headers,
    )
