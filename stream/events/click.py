"""A click, and many of them column by column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

MAX_ID_BYTES: Final = 256
MAX_RECORD_BYTES: Final = 16 * 1024

DEFAULT_EVENT_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"click": 1.0, "view": 1.0, "cart": 2.0, "purchase": 3.0, "seen": 0.0, "hide": -1.0}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """What makes a click acceptable, and what it is worth.

    Parameters
    ----------
    weights
        Event name to weight, in order; the position in this order is the event's code. Positive:
        learned from. Zero: only marks the item as seen. Negative: only hides the item. New names
        may be appended, never inserted or removed, because state holds the codes.
    default_event
        The name of a click that names none.
    future_tolerance_seconds
        How far a click may lie past max(its append time, the partition's watermark).
    max_age_seconds
        How far a click may lie behind its append time; None: any age.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_EVENT_WEIGHTS)
    default_event: str = "click"
    future_tolerance_seconds: float = 300.0
    max_age_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClickBatch:
    """Clicks of one partition in log order, column by column; n rows.

    Parameters
    ----------
    user_ids, item_ids
        n strings each; a forget row has the item id "".
    times
        float64 [n], event time in seconds since the epoch; 0 in a forget row.
    events
        uint8 [n], the event's code (see `EventRules.weights`).
    hashes
        uint64 [n], identifies the event within its user: xxh3 of `event_id`, else of item,
        timestamp and event name.
    forget
        bool [n], the row asks to forget its user.
    offsets
        int64 [n], the record's offset.
    append_times
        float64 [n], seconds since the epoch at which the log took the record.
    """

    user_ids: list[str]
    item_ids: list[str]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    forget: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    append_times: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_ids)
