"""Encoding of clicks as records of the topic `clicks`."""

from typing import Final

import msgspec

from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.fields import ClickValue, id_fault
from stream.events.clicks.rules import MAX_LIST_POSITION
from stream.log.interface import Outgoing

_EXACT_INTEGERS: Final = 2.0**53
_ENCODER: Final = msgspec.json.Encoder()


def encode_click(
    user_id: str,
    item_id: str,
    time: float,
    event: str | None = None,
    event_id: str | None = None,
    *,
    list_id: str | None = None,
    list_position: int | None = None,
) -> bytes:
    """Return the value of a click record; its key is the user id.

    Parameters
    ----------
    user_id, item_id, event_id, list_id
        1 to 256 bytes as UTF-8.
    time
        Seconds since the epoch.
    event
        The event's name; None: the default event.
    list_position
        From 1; where on the list the item was shown.

    Raises
    ------
    ValueError
        An id, the time or the position would make it a bad record.

    Examples
    --------
    >>> encode_click("u1", "i1", 1506826800.0)
    b'{"user_id":"u1","item_id":"i1","timestamp":1506826800}'
    """
    ids = {"user_id": user_id, "item_id": item_id, "event_id": event_id, "list_id": list_id}
    for name, text in ids.items():
        fault = None if text is None else id_fault(name, text)
        if fault is not None:
            raise ValueError(fault.detail)
    if not 0 <= time < float("inf"):
        raise ValueError(f"time is {time}: give seconds since the epoch")
    if list_position is not None and not 1 <= list_position <= MAX_LIST_POSITION:
        raise ValueError(f"list_position is {list_position}: give 1 to {MAX_LIST_POSITION}")
    whole = time < _EXACT_INTEGERS and float(time).is_integer()
    timestamp = int(time) if whole else float(time)
    return _ENCODER.encode(
        ClickValue(user_id, item_id, timestamp, event, event_id, list_id, list_position)
    )


def outgoing_clicks(columns: EventColumns) -> list[Outgoing]:
    """Return the records that put events on the topic `clicks`, in their order."""
    return [
        Outgoing(user_id.encode(), encode_click(user_id, item_id, time, event, event_id))
        for user_id, item_id, time, event, event_id in zip(
            columns.user_ids,
            columns.item_ids,
            columns.times.tolist(),
            columns.events,
            columns.event_ids,
            strict=True,
        )
    ]
