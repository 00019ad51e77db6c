"""Tables parted into windows: order, cuts, times, and what is left out."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from consumers.errors import ConfigError
from consumers.offline.windows.log import MADE_UP_START, read_windows
from consumers.offline.windows.options import WindowOptions, protocol_options
from stream.errors import EventFileError
from tests.conftest import CLICK_LOGS, missing
from tests.consumers.offline.windows.tables import HOUR, START, Row, random_rows, write_table


def options_of(path: Path, **changes: object) -> WindowOptions:
    """Return options of a table with every column named."""
    named = {"user": "user_id", "session": "session_id", "time": "timestamp", "window": "window"}
    return WindowOptions(events=path, **{**named, **changes})  # type: ignore[arg-type]  # settings are mixed


@pytest.mark.parametrize("seed", range(3))
def test_windows_are_cut_and_kept_apart(tmp_path: Path, seed: int) -> None:
    """Sessions keep their first clicks; no click is later than the next window's first."""
    rows = random_rows(seed)
    log = read_windows(options_of(write_table(tmp_path / "t.csv", rows), session_clicks=3))
    taken: dict[tuple[int, str], int] = {}
    kept = []
    for row in rows:
        taken[row.window, row.session] = taken.get((row.window, row.session), 0) + 1
        if taken[row.window, row.session] <= 3:
            kept.append(row)
    begins = [min(row.time for row in kept if row.window == w) for w in range(5)]
    times = [min([row.time, *begins[row.window + 1 :]]) for row in kept]
    assert log.item_ids[log.items].tolist() == [row.item for row in kept]
    np.testing.assert_allclose(log.times, times)
    assert (np.diff(log.times) >= 0.0).all()
    assert log.late == sum(time < row.time for time, row in zip(times, kept, strict=True)) > 0
    pairs = [(row.window, row.session) for row in kept]
    assert len(set(zip(log.sessions.tolist(), pairs, strict=True))) == len(set(pairs))
    assert len(np.unique(log.sessions)) == len(set(pairs))
    assert log.window_of.tolist() == [row.window for row in kept]
    np.testing.assert_array_equal(log.users, log.sessions)


def test_small_windows_are_left_out_and_counted(tmp_path: Path) -> None:
    """They count as if they were not in the table."""
    rows = [row for row in random_rows(0) if row.window != 2 or row.session in {"s1", "s2"}]
    log = read_windows(options_of(write_table(tmp_path / "t.csv", rows), window_sessions=3))
    assert log.numbers.tolist() == [0, 1, 3, 4]
    assert log.dropped_windows.tolist() == [2]
    assert len(log.items) == sum(row.window != 2 for row in rows)
    path = tmp_path / "t.csv"
    first = read_windows(options_of(path, window_sessions=3, windows=3))
    assert first.numbers.tolist() == [0, 1, 3]


def test_histories_may_be_those_of_users(tmp_path: Path) -> None:
    """One number a user, across windows."""
    rows = random_rows(1)
    log = read_windows(options_of(write_table(tmp_path / "t.csv", rows), histories="user"))
    pairs = set(zip(log.users.tolist(), [row.user for row in rows], strict=True))
    assert len(pairs) == len({row.user for row in rows})


def test_a_session_belongs_to_the_span_in_which_it_begins(tmp_path: Path) -> None:
    """Without a column of windows; a user's clicks in a span are a session where none is named."""
    rows = [
        Row(0, "a", "u", "x", START + 10.0),
        Row(0, "a", "u", "y", START + 2 * HOUR),
        Row(0, "b", "u", "z", START + 2 * HOUR + 1.0),
    ]
    path = write_table(tmp_path / "t.csv", rows)
    log = read_windows(options_of(path, window=None))
    assert np.diff(log.bounds).tolist() == [2, 1]
    log = read_windows(options_of(path, window=None, session=None))
    assert np.diff(log.bounds).tolist() == [1, 2]
    assert len(np.unique(log.sessions)) == 2


def test_without_times_sessions_follow_one_another(tmp_path: Path) -> None:
    """In the order of their first clicks; the made-up times are even steps within each window."""
    rows = [
        *(Row(0, s, "u", item, 0.0) for s, item in [("a", "x"), ("b", "y"), ("a", "z")]),
        Row(1, "a", "u", "x", 0.0),
    ]
    log = read_windows(options_of(write_table(tmp_path / "t.csv", rows), time=None))
    assert log.item_ids[log.items].tolist() == ["x", "z", "y", "x"]
    assert (log.times - MADE_UP_START).tolist() == [0.0, 1200.0, 2400.0, 3600.0]
    assert len(np.unique(log.sessions)) == 3


def test_a_parquet_table_reads_alike(tmp_path: Path) -> None:
    """Whatever the file, the log is the same."""
    path = write_table(tmp_path / "t.csv", random_rows(2))
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), tmp_path / "t.parquet")
    one, two = read_windows(options_of(path)), read_windows(options_of(tmp_path / "t.parquet"))
    np.testing.assert_array_equal(one.item_ids[one.items], two.item_ids[two.items])
    np.testing.assert_array_equal(one.times, two.times)


@pytest.mark.parametrize("changes", [{"item": "product"}, {"window": "user_id"}])
def test_what_does_not_fit_is_named(tmp_path: Path, changes: dict[str, str]) -> None:
    """A missing column, or one that holds no numbers."""
    path = write_table(tmp_path / "t.csv", random_rows(0))
    with pytest.raises(ConfigError, match=r"product|user_id"):
        read_windows(options_of(path, **changes))


@pytest.mark.parametrize("unit", ["ms", "text", "named"])
def test_times_may_have_another_unit_or_be_text(tmp_path: Path, unit: str) -> None:
    """As their size tells, as they are written, or as the options say."""
    rows = [row._replace(time=float(round(row.time))) for row in random_rows(3)]
    path = write_table(tmp_path / "t.csv", rows)
    expected = read_windows(options_of(path)).times
    table = pyarrow.csv.read_csv(path)
    times = table["timestamp"].to_numpy()
    changed = times * 1000.0 if unit != "text" else times.astype("datetime64[s]")
    at = table.schema.get_field_index("timestamp")
    other = tmp_path / "o.parquet"
    pyarrow.parquet.write_table(table.set_column(at, "timestamp", [changed]), other)
    named = {"time_unit": "ms"} if unit == "named" else {}
    np.testing.assert_allclose(read_windows(options_of(other, **named)).times, expected)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", EventFileError, "Empty CSV"),
        ("window,session_id,user_id,item_id,timestamp\n", EventFileError, "no clicks"),
        ("window,session_id,user_id,item_id,timestamp\n1,a,b,c,\n", EventFileError, "timestamp"),
        ("window,session_id,user_id,item_id,timestamp\n1,a,b,c,-4\n", ConfigError, "negative"),
        ("window,session_id,user_id,item_id,timestamp\n1,a,b,c,x\n", ConfigError, "timestamp"),
        ("window,session_id,user_id,item_id,timestamp\n1,a,b,c,7e4\n", ConfigError, "1 windows"),
    ],
)
def test_bad_tables_are_refused(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    """By what is wrong with them."""
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(error, match=message):
        read_windows(options_of(path, time_unit="s"))


def test_the_first_clicks_of_the_file_can_be_read_alone(tmp_path: Path) -> None:
    """As though it ended there."""
    rows = random_rows(0)
    log = read_windows(options_of(write_table(tmp_path / "t.csv", rows), limit=100))
    assert len(log.items) == 100


def _published(name: str) -> Path:
    path = CLICK_LOGS / name / "clicks.csv.gz"
    if not path.is_file():
        missing(f"no click log {name} beside the checkout")
    return path


@pytest.mark.data
def test_the_news_have_as_many_windows_and_sessions_as_published() -> None:
    """381 windows, 1,048,556 sessions."""
    log = read_windows(protocol_options("news-by-the-hour", _published("globo-g1")))
    assert len(log.numbers) == 381
    assert len(np.unique(log.sessions)) == 1_048_556
    assert not set(range(99, 103)) & set(log.numbers.tolist())
    assert np.bincount(log.sessions).max() == 20


@pytest.mark.data
def test_diginetica_has_sixteen_periods_after_the_first() -> None:
    """Every line is a click of one of 17 periods."""
    log = read_windows(protocol_options("ader", _published("ader-diginetica")))
    assert log.numbers.tolist() == list(range(17))
    assert len(log.items) == 993_483
