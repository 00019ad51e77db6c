"""Conversion of event columns to the click batch that the codec would decode."""

import numpy as np
import numpy.typing as npt

from gsr.counters.click_batch import ClickBatch
from gsr.counters.click_hashes import click_hashes, event_id_hash, name_hashes
from gsr.counters.ids.id_column import IdColumn
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.rules import EventRules


def to_click_batch(
    columns: EventColumns,
    rules: EventRules,
    first_offset: int,
    append_times: npt.NDArray[np.float64] | None = None,
) -> ClickBatch:
    """Return the clicks that the codec would decode, were the events on a topic.

    Parameters
    ----------
    columns
        n events.
    rules
        Codes of the event names.
    first_offset
        The first event's offset; the others follow without gaps.
    append_times
        float64 [n], seconds since the epoch; None: the event times.

    Raises
    ------
    KeyError
        An event's name is not listed in the rules.
    """
    count = len(columns)
    codes: dict[str | None, int] = dict(rules.codes.items())
    codes[None] = codes[rules.default_event]
    events = np.fromiter(map(codes.__getitem__, columns.events), np.uint8, count)
    kinds = name_hashes(list(rules.weights))[events]
    items = IdColumn.of(columns.item_ids)
    hashes = click_hashes(items.hashes, columns.times, kinds)
    for row, event_id in enumerate(columns.event_ids):
        if event_id is not None:
            hashes[row] = event_id_hash(event_id)
    return ClickBatch(
        user_ids=columns.user_ids,
        item_ids=items,
        times=columns.times,
        events=events,
        hashes=hashes,
        forget=np.zeros(count, dtype=np.bool_),
        offsets=np.arange(first_offset, first_offset + count, dtype=np.int64),
        append_times=columns.times if append_times is None else append_times,
    )
