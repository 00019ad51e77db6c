"""Frames of every kind give the same clicks; what cannot be learned is refused with a reason."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gsr.counters.click_batch import ClickBatch
from gsr.errors import ClicksError
from gsr.library.clicks import read_clicks, seconds_of
from gsr.library.settings import StreamSettings
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.from_events import to_click_batch
from stream.events.clicks.rules import EventRules

SETTINGS = StreamSettings()
COLUMNS: dict[str, list[Any]] = {
    "user_id": ["b", "a", "ü", "a"],
    "item_id": ["i2", "i1", "i3", "i1"],
    "timestamp": [3.5, 1.0, 2.0, 2.0],
    "event": ["view", None, "cart", "hide"],
    "event_id": [None, "e1", None, None],
}


def rows_of(batch: ClickBatch) -> list[tuple[Any, ...]]:
    return list(
        zip(
            batch.user_ids,
            batch.item_ids,
            batch.times.tolist(),
            batch.events.tolist(),
            batch.hashes.tolist(),
            batch.offsets.tolist(),
            strict=True,
        )
    )


def one(**columns: Any) -> pa.Table:
    return pa.table({"user_id": ["u"], "item_id": ["i"], "timestamp": [1.0], **columns})


def test_clicks_are_those_of_an_event_file() -> None:
    """By time, equal times as they stand, told apart by the hashes of the service."""
    found = read_clicks(pa.table(COLUMNS), SETTINGS, first_offset=7)
    order = [1, 2, 3, 0]
    wanted = to_click_batch(
        EventColumns(
            [COLUMNS["user_id"][row] for row in order],
            [COLUMNS["item_id"][row] for row in order],
            np.array([COLUMNS["timestamp"][row] for row in order]),
            [COLUMNS["event"][row] for row in order],
            [COLUMNS["event_id"][row] for row in order],
        ),
        EventRules(),
        7,
    )
    assert rows_of(found.batch) == rows_of(wanted)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(COLUMNS),
        pl.LazyFrame(COLUMNS),
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS, index=[9, 8, 7, 6]),
        pa.concat_tables([pa.table(COLUMNS).slice(0, 1), pa.table(COLUMNS).slice(1)]),
        pl.DataFrame(COLUMNS).with_columns(pl.col("user_id", "event").cast(pl.Categorical)),
        pd.DataFrame(COLUMNS).astype({"item_id": "category"}),
        pl.DataFrame({"note": [1, 2, 3, 4], **COLUMNS}),
    ],
    ids=["polars", "lazy", "pandas", "index", "chunks", "categorical", "category", "more columns"],
)
def test_every_kind_of_frame_gives_the_same_clicks(frame: Any) -> None:
    """Other columns, an index and chunks mean nothing."""
    found = read_clicks(frame, SETTINGS)
    assert rows_of(found.batch) == rows_of(read_clicks(pa.table(COLUMNS), SETTINGS).batch)


@pytest.mark.parametrize(
    "times",
    [
        [datetime(2001, 9, 9, 1, 46, 40)],  # noqa: DTZ001 - without a zone it is UTC
        [datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)],
        [datetime(2001, 9, 9, 3, 46, 40, tzinfo=timezone(timedelta(hours=2)))],
        pa.array([1_000_000_000], pa.int32()),
        pa.array([10**18], pa.timestamp("ns")),
        pa.array([1_000_000_000], pa.timestamp("s", "Europe/Berlin")),
        pa.array([1e9], pa.float32()),
    ],
)
def test_times_are_datetimes_or_seconds(times: Any) -> None:
    """In any unit and zone that says so itself."""
    assert read_clicks(one(timestamp=times), SETTINGS).batch.times.tolist() == [1e9]


def test_fractions_of_seconds_are_kept() -> None:
    """To the microsecond."""
    moment = datetime(2001, 9, 9, 1, 46, 40, 250_001, tzinfo=UTC)
    assert read_clicks(one(timestamp=[moment]), SETTINGS).batch.times.tolist() == [1e9 + 0.250001]
    assert seconds_of(moment) == 1e9 + 0.250001


def test_numbers_are_ids() -> None:
    """Written out as a CSV file would have them."""
    found = read_clicks(one(user_id=[7], item_id=pa.array([-1], pa.int8())), SETTINGS)
    assert (list(found.batch.user_ids), list(found.batch.item_ids)) == (["7"], ["-1"])


def test_a_frame_without_rows_holds_no_clicks() -> None:
    """Whatever types its columns have."""
    assert len(read_clicks(one().slice(0, 0), SETTINGS)) == 0
    assert len(read_clicks(pl.DataFrame(COLUMNS).clear(), SETTINGS)) == 0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([("u", "i", 1.0)], "clicks are list: give a data frame"),
        (one().drop_columns(["item_id"]), r"no column item_id among user_id, timestamp: name the"),
        (pd.DataFrame(), "no column user_id, item_id, timestamp among nothing"),
        (one(user_id=[None]), "user_id of row 0 is missing"),
        (one(item_id=pa.array([None], pa.string())), "item_id of row 0 is missing: fill it in"),
        (one(timestamp=pa.array([None], pa.float64())), "timestamp of row 0 is missing"),
        (one(user_id=[1.5]), "user_id is double: give text or whole numbers"),
        (one(user_id=[""]), "user_id of row 0 is empty: give 1 to 256 bytes"),
        (one(item_id=["é" * 129]), "item_id of row 0 has 258 bytes"),
        (one(timestamp=["2001-09-09"]), "timestamp is string: give datetimes, or numbers of sec"),
        (one(timestamp=[float("nan")]), "timestamp of row 0 is nan: give seconds"),
        (one(timestamp=[1.7e12]), "timestamp of row 0 is 1.7e.12: it looks like milliseconds"),
        (one(event=["rent"]), "event 'rent' is none of click, view, cart, purchase, seen, hide"),
        (one(event=[1.5]), "event is double: give text"),
        (pd.DataFrame({**one().to_pydict(), "user_id": [object()]}), "a column of mixed types"),
    ],
)
def test_what_cannot_be_learned_is_refused(frame: Any, words: str) -> None:
    """With the column, the row, and what to do."""
    with pytest.raises(ClicksError, match=words):
        read_clicks(frame, SETTINGS)


def test_a_moment_is_a_datetime_or_seconds() -> None:
    """Anything else is refused."""
    assert seconds_of(5) == 5.0
    with pytest.raises(ClicksError, match="now is string"):
        seconds_of("tomorrow")
    with pytest.raises(ClicksError, match="is no moment"):
        seconds_of(object())
