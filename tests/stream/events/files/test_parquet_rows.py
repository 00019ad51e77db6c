"""Reading of Parquet files."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.events.files.dialect import FileDialect
from stream.events.files.reading import BAD_ROW_REMEDY, EventFile
from tests.stream.events.click_records import NOW
from tests.stream.events.files.event_files import ROWS, as_parquet, error_of, read, rows_of


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (pa.array([1506826800, 1506826801]), "s"),
        (pa.array([1506826800000, 1506826801000]), "ms"),
        (pa.array([1506826800, 1506826801], pa.uint32()), "s"),
        (pa.array([1506826800.0, 1506826801.0]), "s"),
        (pa.array([1506826800, 1506826801], pa.timestamp("s")), "ms"),
        (pa.array([1506826800000, 1506826801000], pa.timestamp("ms", "UTC")), "s"),
        (pa.array([1506826800 * 10**9 + 7, 1506826801 * 10**9], pa.timestamp("ns")), "s"),
        (pa.array([datetime(2017, 10, 1, 3, 0, s, tzinfo=UTC) for s in (0, 1)]), "ns"),
        (pa.array(["2017-10-01T03:00:00Z", "2017-10-01T03:00:01Z"]), "s"),
        (pa.array(["1506826800", "1506826801"]).dictionary_encode(), "s"),
        (pa.array([1506826800, 1506826801]).cast(pa.decimal128(22, 3)), "s"),
    ],
)
def test_parquet_times_may_have_any_sensible_type(tmp_path: Path, times: Any, unit: Any) -> None:
    """Numbers follow the unit of the mapping; Parquet's own timestamps know theirs."""
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user_id": [1, 2], "item_id": ["a", "b"], "timestamp": times}), path)
    assert read(path, dialect=FileDialect(time_unit=unit)) == [
        ("1", "a", NOW, None, None),
        ("2", "b", NOW + 1, None, None),
    ]


def test_parquet_ids_may_be_dictionaries_and_times_dates(tmp_path: Path) -> None:
    """Dictionary columns and dates are read as what they stand for."""
    path = tmp_path / "events.parquet"
    table = pa.table(
        {
            "user_id": pa.array(["a", "b", "a"]).dictionary_encode(),
            "item_id": pa.array([7, 7, 8]).dictionary_encode(),
            "timestamp": [date(2017, 10, 1)] * 3,
        }
    )
    pq.write_table(table, path)
    assert [row[:3] for row in read(path)] == [
        ("a", "7", NOW - 10_800),
        ("b", "7", NOW - 10_800),
        ("a", "8", NOW - 10_800),
    ]


def test_parquet_nulls_and_useless_types_are_named(tmp_path: Path) -> None:
    """A null is a bad row; floating-point ids and yes-or-no times are a bad file."""
    path = tmp_path / "events.parquet"
    good = {"user_id": ["a", None, "c"], "item_id": ["i"] * 3, "timestamp": [1, 2, None]}
    pq.write_table(pa.table(good), path)
    error = error_of(path)
    assert (error.line, error.reason) == (2, f"user_id is null: {BAD_ROW_REMEDY}")
    file = EventFile(path, on_bad="skip")
    assert rows_of(list(file.read())) == [("a", "i", 1.0, None, None)]
    assert file.skipped == {"missing_field": 2}
    pq.write_table(pa.table({**good, "user_id": [1.0, 2.0, 3.0]}), path)
    assert "column user_id is double, wanted text or whole numbers" in str(error_of(path))
    pq.write_table(pa.table({**good, "timestamp": [True, False, True]}), path)
    assert "column timestamp is bool" in str(error_of(path))


def test_a_parquet_file_must_be_whole_and_unpacked(tmp_path: Path) -> None:
    """A cut file, a foreign one and one that is packed once more say so."""
    whole = as_parquet(ROWS)
    path = tmp_path / "events.parquet"
    for content in (whole[:-20], whole[: len(whole) // 2], b"PAR1", b"nothing"):
        path.write_bytes(content)
        assert "is damaged or no Parquet" in str(error_of(path))
    path = tmp_path / "events.parquet.gz"
    path.write_bytes(gzip.compress(whole))
    assert "unpack it first" in str(error_of(path))
    pq.write_table(pa.table({"user_id": ["a"]}), path)
    assert "no columns item_id, timestamp among user_id" in str(error_of(path))
