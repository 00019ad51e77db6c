"""Event files as clicks of numbered users and items."""

import gzip
from pathlib import Path

import pytest

from consumers.offline.evaluation.event_data import read_event_data
from consumers.runtime.progress import Progress
from stream.errors import EventFileError
from stream.events.clicks.rules import EventRules
from stream.events.files.reading import EventFile
from tests.consumers.evaluation_world import read

CLICKS = "user_id,item_id,timestamp\nann,tea,200\nbob,jam,100\nann,jam,100\nann,rye,200\n"


def write(path: Path, text: str = CLICKS) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_users_and_items_are_numbered_as_they_appear(tmp_path: Path) -> None:
    """Ties keep the order of the file; a name tells which number is whose."""
    data = read(write(tmp_path / "clicks.csv"))
    assert data.user_ids == ["ann", "bob"]
    assert data.item_ids == ["tea", "jam", "rye"]
    assert data.interactions.starts.tolist() == [0, 3, 4]
    assert [data.item_ids[item] for item in data.interactions.items] == ["jam", "tea", "rye", "jam"]
    assert data.interactions.times.tolist() == [100.0, 200.0, 200.0, 100.0]
    assert data.eligible.all()
    facts = data.facts()
    assert facts.pop("sha256") == data.sha256
    assert facts == {
        "file": "clicks.csv",
        "users": 2,
        "items": 3,
        "events": 4,
        "eligible_events": 4,
        "first_time": 100.0,
        "last_time": 200.0,
        "skipped_rows": {},
        "skipped_examples": [],
    }


def test_the_hash_is_of_the_events_not_of_the_file(tmp_path: Path) -> None:
    """Compression and format do not count; an order of ties that differs does."""
    plain = read(write(tmp_path / "clicks.csv"))
    packed = read(write(tmp_path / "other.csv.gz"))
    lines = "".join(
        f'{{"user_id": "{user}", "item_id": "{item}", "timestamp": {time}}}\n'
        for user, item, time in (line.split(",") for line in CLICKS.split()[1:])
    )
    json_lines = read(write(tmp_path / "clicks.jsonl", lines))
    swapped = CLICKS.replace("tea", "?").replace("rye", "tea").replace("?", "rye")
    assert packed.sha256 == plain.sha256 == json_lines.sha256
    assert read(write(tmp_path / "swapped.csv", swapped)).sha256 != plain.sha256


def test_events_that_teach_nothing_are_no_targets(tmp_path: Path) -> None:
    """They stay in the histories."""
    text = "user_id,item_id,timestamp,event\na,x,1,click\na,y,2,hide\na,z,3,seen\na,x,4,purchase\n"
    data = read(write(tmp_path / "clicks.csv", text))
    assert data.eligible.tolist() == [True, False, False, True]
    codes = EventRules().codes
    assert data.interactions.events.tolist() == [
        codes[name] for name in ("click", "hide", "seen", "purchase")
    ]
    assert data.facts()["eligible_events"] == 2


def test_shuffled_ties_stay_the_same_data(tmp_path: Path) -> None:
    """What may be predicted moves with its click; each seed gives one order."""
    rows = "".join(f"a,i{n},1,{'hide' if n % 2 else 'click'}\n" for n in range(20))
    data = read(write(tmp_path / "clicks.csv", "user_id,item_id,timestamp,event\n" + rows))
    shuffled = data.shuffled_ties(1)
    order = shuffled.interactions.items
    assert shuffled.sha256 == data.sha256
    assert sorted(order.tolist()) == list(range(20))
    assert order.tolist() != list(range(20))
    assert shuffled.eligible.tolist() == (order % 2 == 0).tolist()
    assert data.shuffled_ties(1).interactions.items.tolist() == order.tolist()
    assert data.shuffled_ties(2).interactions.items.tolist() != order.tolist()


def test_a_limit_takes_the_first_events_by_time(tmp_path: Path) -> None:
    """Whoever does not appear in them has no number."""
    data = read(write(tmp_path / "clicks.csv"), limit=2)
    assert data.user_ids == ["ann", "bob"]
    assert data.item_ids == ["jam"]
    assert data.interactions.times.tolist() == [100.0, 100.0]
    assert read(write(tmp_path / "clicks.csv"), limit=99).facts()["events"] == 4


def test_data_are_split_by_the_name_of_a_protocol(tmp_path: Path) -> None:
    """Only eligible clicks are predicted; data that cannot be split are named."""
    rows = "".join(f"{user},i{n},{n},click\n" for user in "ab" for n in range(8))
    header = "user_id,item_id,timestamp,event\n"
    data = read(write(tmp_path / "clicks.csv", header + rows + "a,i9,9,hide\n"))
    split = data.split("leave-one-out")
    targets = split.test.cases.targets(data.interactions)
    assert [data.item_ids[item] for item in targets] == ["i7", "i7"]
    later = data.split("temporal", quantile=0.5, refit=False)
    assert (later.settings["quantile"], later.refits) == (0.5, False)
    short = read(write(tmp_path / "short.csv", header + "a,x,1,click\na,y,2,click\n"))
    with pytest.raises(EventFileError, match=r"short\.csv: no user has 3 clicks"):
        short.split("leave-one-out")


def test_bad_rows_end_the_reading_or_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "clicks.csv", CLICKS + "bob,,300\n")
    with pytest.raises(EventFileError, match="line 6"):
        read(path)
    data = read_event_data(EventFile(path, on_bad="skip"), EventRules())
    assert len(data.interactions) == 4
    assert sum(data.facts()["skipped_rows"].values()) == 1


@pytest.mark.parametrize(
    ("rows", "message"), [("", "holds no events: nothing"), ("a,,1\n", "all 1 rows are bad")]
)
def test_a_file_without_events_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    path = write(tmp_path / "clicks.csv", "user_id,item_id,timestamp\n" + rows)
    with pytest.raises(EventFileError, match=message):
        read_event_data(EventFile(path, on_bad="skip"), EventRules())
    with pytest.raises(EventFileError, match=r"clicks\.csv and 1 more: holds no events"):
        read_event_data(EventFile([path, path], on_bad="skip"), EventRules())


def test_progress_is_told(tmp_path: Path) -> None:
    reports: list[Progress] = []
    read_event_data(
        EventFile(write(tmp_path / "clicks.csv")), EventRules(), progress=reports.append
    )
    assert [(report.stage, report.done) for report in reports] == [("reading", 4)]
