"""Record batches for tests of the codec."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from stream.log.interface import Headers, RecordBatch

NOW = 1_506_826_800.0


def click_json(**changes: Any) -> bytes:
    """Return a good click's value with some fields changed; `...` removes a field."""
    fields = {"user_id": "u1", "item_id": "i1", "timestamp": NOW, **changes}
    return json.dumps({k: v for k, v in fields.items() if v is not ...}).encode()


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
