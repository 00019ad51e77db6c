"""CSV without a header, and headers as people write them."""

from pathlib import Path
from typing import Any

import pytest

from stream.errors import EventFileError
from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile

NUMBERED = Columns(user="1", item="2", timestamp="4")
NO_HEADER = FileDialect(header=False)

LOGS = {
    "ratings.dat": ("1::1193::5::978300760\n1::661::3::978302109\n", 1, 2, 4),
    "u.data": ("196\t242\t3\t881250949\n186\t302\t3\t891717742\n", 1, 2, 4),
    "ratings_only.csv": ("0005,B01,5.0,1370476800\n0006,B02,1.0,1370476900\n", 1, 2, 4),
    "yoochoose-clicks.dat": (
        "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n",
        *(1, 3, 2),
    ),
}


def rows(path: Path, columns: Columns | None = None, **options: Any) -> list[tuple[str, str]]:
    file = EventFile(path, columns, **options)
    return [pair for e in file.read() for pair in zip(e.user_ids, e.item_ids, strict=True)]


def error_of(path: Path, columns: Columns | None = None, **options: Any) -> EventFileError:
    with pytest.raises(EventFileError) as caught:
        rows(path, columns, **options)
    return caught.value


@pytest.mark.parametrize("name", LOGS)
def test_known_logs_are_read_as_the_error_says(tmp_path: Path, name: str) -> None:
    """The advice of the first try reads every row at the second."""
    text, user, item, time = LOGS[name]
    path = tmp_path / name
    path.write_text(text)
    error = error_of(path)
    assert error.line == 1
    advice = f"--no-header --column user={user} --column item={item} --column timestamp={time}"
    assert advice in error.reason
    columns = Columns(user=str(user), item=str(item), timestamp=str(time))
    assert len(rows(path, columns, dialect=NO_HEADER)) == 2


@pytest.mark.parametrize(
    ("time", "time_format"),
    [("01h10m17", "%dh%mm%y"), ("20171001", "%Y%m%d"), ("2017-10-01 03:00", "%Y-%m-%d %H:%M")],
)
def test_times_of_a_format_tell_a_row_too(tmp_path: Path, time: str, time_format: str) -> None:
    """The advice finds them, with a wrong number as without one."""
    path = tmp_path / "clicks.csv"
    path.write_text(f"7,1000000007,{time}\n" * 2)
    dated = {
        header: FileDialect(header=header, time_format=time_format) for header in (None, False)
    }
    for header, dialect in dated.items():
        error = error_of(path, None if header is None else Columns(user="9"), dialect=dialect)
        assert "--no-header --column user=1 --column item=2 --column timestamp=3" in error.reason
    columns = Columns(user="1", item="2", timestamp="3")
    assert rows(path, columns, dialect=dated[False]) == [("7", "1000000007")] * 2


def test_a_wrong_format_does_not_make_a_row_a_header(tmp_path: Path) -> None:
    """The advice is that of any other time."""
    path = tmp_path / "clicks.csv"
    path.write_text("7,8,2017-10-01\n" * 2)
    error = error_of(path, dialect=FileDialect(time_format="%d.%m.%Y"))
    assert "--no-header --column user=1 --column item=2 --column timestamp=3" in error.reason


def test_a_row_is_never_taken_for_a_header(tmp_path: Path) -> None:
    """Not even when its cells are named as columns; an explicit word is obeyed."""
    path = tmp_path / "ratings.csv"
    path.write_text("0005,B01,5.0,1370476800\n0006,B02,1.0,1370476900\n")
    named = Columns(user="0005", item="B01", timestamp="1370476800")
    assert "--no-header --column user=1" in error_of(path, named).reason
    assert "--header" in error_of(path, named).reason
    assert rows(path, named, dialect=FileDialect(header=True)) == [("0006", "B02")]


def test_columns_that_are_called_by_number_are_a_header(tmp_path: Path) -> None:
    """As pandas writes them where nobody gave names."""
    path = tmp_path / "frame.csv"
    path.write_text("0,1,2\nu,i,1506826800\n")
    assert rows(path, Columns(user="0", item="1", timestamp="2")) == [("u", "i")]


@pytest.mark.parametrize("columns", [Columns(), Columns(user="1"), Columns(user="5"), NUMBERED])
def test_numbers_must_fit(tmp_path: Path, columns: Columns) -> None:
    """Missing or too large ones are told apart from names, with an example."""
    path = tmp_path / "ratings.csv"
    path.write_text("0005,B01,1370476800\n")
    reason = error_of(path, columns, dialect=NO_HEADER).reason
    assert "columns go by number, from 1 to 3" in reason
    assert "--column user=1 --column item=2 --column timestamp=3" in reason


def test_optional_columns_have_numbers_too(tmp_path: Path) -> None:
    """Event and its id, where they are named."""
    path = tmp_path / "log.csv"
    path.write_text("\ufeffu,i,1506826800,cart,e1\n")
    columns = Columns(user="1", item="2", timestamp="3", event="4", event_id="5")
    (events,) = EventFile(path, columns, dialect=NO_HEADER).read()
    assert (events.user_ids, events.events, events.event_ids) == (["u"], ["cart"], ["e1"])


@pytest.mark.parametrize("name", ["clicks.jsonl", "clicks.parquet"])
def test_only_csv_can_lack_a_header(tmp_path: Path, name: str) -> None:
    """Other formats always name their columns."""
    path = tmp_path / name
    path.write_text('{"user_id":"u","item_id":"i","timestamp":1}\n')
    assert "leave --no-header out" in error_of(path, NUMBERED, dialect=NO_HEADER).reason


def test_lists_of_impressions_are_no_items(tmp_path: Path) -> None:
    """They are called by name, with where to read on, also when columns are numbered."""
    path = tmp_path / "behaviors.tsv"
    path.write_text("1\tU1\t11/13/2019 9:05:58 AM\tN5 N4\tN1-1 N2-0\n")
    columns = Columns(user="2", item="5", timestamp="3")
    for error in (error_of(path), error_of(path, columns, dialect=NO_HEADER)):
        assert "see MIND in docs/events.md" in error.reason


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff User_ID , Item_Id,TIMESTAMP , Event\n u1 ,\ti1,1506826800, cart \n",
        '"user_id" ,"item_id","timestamp","event"\n" u1","i1 ","1506826800"," cart"\n'.replace(
            '" ,', '",'
        ),
        "user_id,item_id,timestamp,event,\nu1,i1,1506826800,cart,\n",
        "user_id,item_id,timestamp,event,\nu1,i1,1506826800,cart\n",
        "user_id,item_id,timestamp,event\nu1,i1,1506826800,cart,\n",
        "user_id,item_id,timestamp,event\r\ru1,i1,1506826800,cart\r",
        "user_id;item_id;timestamp;event\nu1;i1;1506826800;cart",
        "user_id,item_id,timestamp,event\nu1,i1,1506826800,cart ",
        "event,timestamp,user_id,item_id\ncart,1506826800,u1,i1\t",
    ],
)
def test_header_and_cells_are_stripped_alike(tmp_path: Path, text: str) -> None:
    """Blanks, byte order marks, upper case of names and empty cells at the end mean nothing."""
    path = tmp_path / "clicks.csv"
    path.write_bytes(text.encode())
    (events,) = EventFile(path).read()
    assert events.user_ids == ["u1"]
    assert events.item_ids == ["i1"]
    assert events.events == ["cart"]


def test_columns_that_differ_in_case_only_are_two(tmp_path: Path) -> None:
    """Which one is meant cannot be known."""
    path = tmp_path / "clicks.csv"
    path.write_text("user_id,item_id,timestamp,Event,EVENT\nu,i,1,cart,view\n")
    assert "twice: rename one" in error_of(path).reason


def test_events_that_nobody_reads_are_mentioned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A purchase in a column of another name would be learned as a click."""
    path = tmp_path / "clicks.csv"
    path.write_text("user_id,item_id,timestamp,event_type\nu,i,1,purchase\n")
    assert rows(path) == [("u", "i")]
    assert "column event_type is not read; if it holds events: --column event=event_type" in (
        caplog.text
    )


def test_the_error_gives_all_options_at_once(tmp_path: Path) -> None:
    """For a known shop's log the columns of events are guessed with the others."""
    path = tmp_path / "shop.csv"
    path.write_text("event_time,event_type,product_id,price,user_id\n")
    assert (
        "--column item=product_id --column timestamp=event_time --column event=event_type"
        in error_of(path).reason
    )
