"""Times of event files: what they count and how they are written, decided for the whole file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.errors import EventFileError
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile
from tests.stream.events.click_records import NOW

Rows = list[str | float]


def write(directory: Path, kind: str, stamps: Sequence[str | float]) -> Path:
    """Write one event per timestamp in a format."""
    path = directory / f"clicks.{kind}"
    if kind == "csv":
        rows = "".join(f'u,i,"{stamp}"\n' for stamp in stamps)
        path.write_text("user_id,item_id,timestamp\n" + rows)
    elif kind == "jsonl":
        events = [{"user_id": "u", "item_id": "i", "timestamp": stamp} for stamp in stamps]
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
    else:
        count = len(stamps)
        table = {"user_id": ["u"] * count, "item_id": ["i"] * count, "timestamp": stamps}
        pq.write_table(pa.table(table), path)
    return path


def times(path: Path, dialect: FileDialect | None = None, **options: Any) -> list[float]:
    file = EventFile(path, dialect=dialect, **options)
    return [time for events in file.read() for time in events.times.tolist()]


def error_of(path: Path, dialect: FileDialect | None = None, **options: Any) -> EventFileError:
    with pytest.raises(EventFileError) as caught:
        times(path, dialect, **options)
    return caught.value


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("stamps", "unit", "first"),
    [
        ([1506826800000, 1506826801000], "ms", NOW),
        ([1506826800000000, 1506826801000000], "us", NOW),
        ([1506826800000000000, 1506826801000000000], "ns", NOW),
        ([20171001, 20171002], "calendar", NOW - 10_800),
        ([20171001030000, 20171001030001], "calendar", NOW),
        ([201710010300, 201710010301], "calendar", NOW),
        ([43009.125, 43009.5], "excel", NOW),
        ([43009.3958333333, 43010], "excel", NOW + 23_400),
    ],
)
def test_units_are_recognised_and_said(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    stamps: Rows,
    unit: Any,
    first: float,
) -> None:
    """In every format alike, and never without a word."""
    path = write(tmp_path, kind, stamps)
    assert times(path)[0] == pytest.approx(first, abs=1e-3)
    assert f"like --time-unit {unit}" in caplog.text
    caplog.clear()
    assert times(path, FileDialect(time_unit=unit)) == times(path)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("stamps", "units"),
    [
        ([25113780, 25113781], "minutes"),
        ([418563, 418564], "hours"),
        ([17440, 17441.25], "days"),
        ([43009, 43010], "excel"),
    ],
)
def test_doubtful_units_are_refused(tmp_path: Path, stamps: Rows, units: Any) -> None:
    """They may be a count of seconds after all; said so, they are read."""
    path = write(tmp_path, "csv", stamps)
    assert f"--time-unit {units} or --time-unit s" in error_of(path).reason
    assert times(path, FileDialect(time_unit="s")) == stamps
    assert times(path, FileDialect(time_unit=units))[0] == pytest.approx(NOW, abs=86_400)


def test_counts_from_zero_stay_seconds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As logs have them whose days are nobody's business."""
    stamps: Rows = [float(second) for second in range(0, 200_000, 20)]
    assert times(write(tmp_path, "csv", stamps)) == stamps
    assert caplog.text == ""


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("usual", "other", "words"),
    [
        (1506826800, 1506826800000, "too large for seconds"),
        (1506826800, 25113780, "looks like minutes, but others are seconds"),
        (1506826800000, 1506826800, "looks like seconds, but others are milliseconds"),
        (1506826800000000, 1506826800000, "looks like milliseconds, but others are micro"),
        (20171001, 1506826800, "is no day, but others are calendar days"),
        (20171001, 20171301, "is no day"),
    ],
)
def test_no_file_has_two_units(
    tmp_path: Path, kind: str, usual: float, other: float, words: str
) -> None:
    """A row of another unit is bad, wherever it stands."""
    for place in (0, 3, 240):
        stamps: Rows = [usual] * 241
        stamps.insert(place, other)
        path = write(tmp_path, kind, stamps)
        error = error_of(path, batch_rows=100)
        assert error.line == place + (2 if kind == "csv" else 1)
        assert words in error.reason
    assert len(times(path, batch_rows=100, on_bad="skip")) == 241


def test_a_file_half_and_half_is_refused(tmp_path: Path) -> None:
    """No row of it is more likely right than another, also where bad ones may be skipped."""
    path = write(tmp_path, "csv", [1506826800, 1506826800000])
    assert "several units" in error_of(path, on_bad="skip").reason


@pytest.mark.parametrize(
    "text",
    [
        "2017-10-01 03:00:00 UTC",
        "2017-10-01 03:00:00.000 +0000",
        "2017/10/01 03:00:00",
        "2017.10.01 03:00",
        "20171001T030000Z",
        "2017-10-01t03:00:00z",
        "1.10.2017 3:00",
        "Sat Sep 30 20:00:00 -0700 2017",
        "Sun Oct  1 03:00:00 2017",
        "Sun, 01 Oct 2017 03:00:00 GMT",
        "01/Oct/2017:03:00:00 +0000",
        "Oct 1, 2017 3:00:00 AM",
        "1 October 2017 03:00",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_texts_of_well_known_logs_are_read(tmp_path: Path, kind: str, text: str) -> None:
    """All of them mean the same moment."""
    assert times(write(tmp_path, kind, [text] * 3)) == [NOW] * 3


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["10/01/2017 3:00:00 AM", "10/13/2017 3:00:00 PM"], [NOW, NOW + 12.5 * 86_400]),
        (["01-10-2017 03:00", "13-10-2017 15:00"], [NOW, NOW + 12.5 * 86_400]),
        (["11/11/2019 9:05:58 AM"], [1_573_463_158.0]),
    ],
)
def test_the_dates_tell_the_order_of_day_and_month(
    tmp_path: Path, stamps: Rows, expected: list[float]
) -> None:
    """Any row of the file may tell; where both orders mean the same there is nothing to tell."""
    assert times(write(tmp_path, "csv", stamps)) == expected
    late = [*stamps[:-1], *stamps[:1] * 25_000, stamps[-1]]
    assert times(write(tmp_path, "csv", late))[0] == expected[0]


@pytest.mark.parametrize("stamps", [["03/04/2019"], ["13/04/2019", "04/13/2019"]])
def test_an_open_order_is_refused(tmp_path: Path, stamps: Rows) -> None:
    """Nothing is guessed from habit; the error shows the option."""
    path = write(tmp_path, "csv", stamps)
    assert "--time-format '%d/%m/%Y" in error_of(path, on_bad="skip").reason


def test_a_date_against_the_order_is_a_bad_row(tmp_path: Path) -> None:
    """The first rows decide, and the others are held to it."""
    path = write(tmp_path, "csv", ["13/04/2019"] * 11_000 + ["04/13/2019"])
    assert error_of(path).line == 11_002


def test_a_format_is_obeyed(tmp_path: Path) -> None:
    """Also of numbers; what does not fit is a bad row."""
    path = write(tmp_path, "csv", ["03/04/2019", "04/04/2019"])
    assert times(path, FileDialect(time_format="%d/%m/%Y")) == [1_554_249_600.0, 1_554_336_000.0]
    path = write(tmp_path, "jsonl", [20171001, 20171002])
    assert times(path, FileDialect(time_format="%Y%m%d"))[0] == NOW - 10_800
    path = write(tmp_path, "parquet", [20171001.0, 20171002.0])
    assert times(path, FileDialect(time_format="%Y%m%d"))[0] == NOW - 10_800
    path = write(tmp_path, "csv", ["01.10.17 03:00 +0000", "soon"])
    error = error_of(path, FileDialect(time_format="%d.%m.%y %H:%M %z"))
    assert error.line == 3
    assert "'soon' is not of the form" in error.reason


def test_a_bad_row_leaves_its_neighbours_their_format(tmp_path: Path) -> None:
    """Numbers are as their owner wrote them, whoever stands beside them."""
    path = tmp_path / "clicks.parquet"
    days = [20171001, 20171002, 20171003]
    table = {"user_id": ["u", None, "u"], "item_id": ["i"] * 3}
    for stamps in (days, list(map(float, days))):
        pq.write_table(pa.table({**table, "timestamp": stamps}), path)
        file = EventFile(path, dialect=FileDialect(time_format="%Y%m%d"), on_bad="skip")
        assert file.scan().events == 2
        assert file.skipped == {"missing_field": 1}


@pytest.mark.parametrize("text", ["next week", "1 Vendemiaire 2017", "2017-10-01 03:00 PDT", ""])
def test_other_texts_come_with_a_remedy(tmp_path: Path, text: str) -> None:
    """The option, with an example."""
    assert "--time-format '%d.%m.%y %H.%M'" in error_of(write(tmp_path, "csv", [text])).reason
