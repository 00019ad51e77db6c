"""`docs/events.md` says what the code does."""

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from gsr.counters.event_weights import MAX_EVENT_NAMES
from gsr.counters.ids.id_column import MAX_ID_BYTES
from stream.events.clicks.bad_record import REASONS, BadRecord
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.fields import MAX_NESTING
from stream.events.clicks.rules import MAX_RECORD_BYTES, EventRules
from stream.events.files.columns import Columns
from stream.events.files.input_paths import FORMATS
from stream.events.files.reading import EventFile
from stream.events.files.time_units import TIME_UNITS
from stream.events.files.title_file import TitleFile
from stream.events.records.dead_letters import DAMAGED, dead_letter, shortened
from stream.events.records.schemas import NAMES, schema
from tests.stream.events.click_records import NOW, batch_of

PAGE = Path(__file__).parents[3].joinpath("docs", "events.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return the text of one section of the page."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def examples(title: str, language: str = "json") -> list[str]:
    """Return a section's code blocks."""
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)


def first_cells(title: str, text: str = r"`([a-z_.0-9]+)`") -> list[str]:
    """Return the first cells of a section's tables."""
    return re.findall(rf"^\| {text} \|", section(title), re.MULTILINE)


def test_reasons_and_headers_are_those_of_the_code() -> None:
    """All of them, in order; those of a shortened letter beside."""
    cells = first_cells("Dead letters")
    assert tuple(cell for cell in cells if "." not in cell) == (*REASONS, DAMAGED)
    sent = dead_letter(batch_of([b""]), BadRecord(0, 0, "empty", ""))
    told = [name for name, _ in sent.headers]
    beside = [name for name, _ in shortened(sent).headers if name not in told]
    named = [cell for cell in cells if "." in cell]
    assert named[: len(told)] == told
    assert sorted(named[len(told) :]) == sorted({*beside, "gsr.error.key_bytes"})


def test_limits_are_those_of_the_code() -> None:
    """Every number of the table."""
    text = section("Click")
    for words in (
        f"1 to {MAX_ID_BYTES} bytes",
        f"{MAX_RECORD_BYTES} bytes, brackets nested {MAX_NESTING} deep",
        f"| event names | {MAX_EVENT_NAMES} |",
        f"`events.future_tolerance_seconds` ({EventRules().future_tolerance_seconds:.0f})",
    ):
        assert words in text
    assert first_cells("Click") == list(schema("click")["properties"])


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Click", "click"),
        ("Recommendation", "recommendation"),
        ("Sequence", "sequence"),
        ("Item control", "item"),
    ],
)
def test_examples_obey_the_schemas(title: str, name: str) -> None:
    """What the page shows may be copied."""
    found = [json.loads(text) for text in examples(title)]
    assert found
    for example in found:
        jsonschema.Draft202012Validator(schema(name)).validate(example)


def test_click_examples_are_clicks() -> None:
    """They decode with the default rules."""
    values = [text.encode() for text in examples("Click")]
    decoded = ClickCodec(EventRules()).decode(batch_of(values, [b"u-17"] * len(values)), NOW)
    assert decoded.bad == []


def test_the_file_example_is_read(tmp_path: Path) -> None:
    """With the default columns, which the page shows in order."""
    (text,) = examples("Event files", "csv")
    assert text.splitlines()[0].split(",") == list(Columns().names.values())
    path = tmp_path / "events.csv"
    path.write_text(text)
    (events,) = EventFile(path).read()
    assert np.array_equal(events.times, [NOW, NOW + 0.25])


def test_the_example_of_titles_is_read(tmp_path: Path) -> None:
    """Quotes included."""
    (text,) = examples("Titles of items", "csv")
    path = tmp_path / "titles.csv"
    path.write_text(text)
    batches = list(TitleFile([path], longest=200).read())
    assert batches == [[("i-4", "Blue mug"), ("i-9", "Teapot, 1 l")]]


def test_formats_and_units_are_listed() -> None:
    """Every suffix and every unit."""
    text = section("Event files")
    for word in (*FORMATS, *TIME_UNITS):
        assert f"`{word}`" in text
    for name in NAMES:
        assert f"`{name}.schema.json`" in PAGE
