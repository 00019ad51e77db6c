"""What the documents name exists."""

import ast
import re
from pathlib import Path

import pytest

from consumers import exit_codes
from consumers.config.loading import known_settings
from consumers.metrics.catalogue import CATALOGUE
from tests.deploy.files import anchors

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
FILE_NAMES = (".csv", ".md", ".parquet", ".safetensors")
OTHER_NAMES = {
    *("kafka.coordinator", "kafka.net"),
    *("http.request", "http.response", "http.disconnect"),
}
"""Modules of kafka-python, and ASGI's kinds of messages."""


@pytest.mark.parametrize(
    "document",
    DOCUMENTS,
)
def test_named_metrics_are_in_the_catalogue(document: str) -> None:
    """Nobody looks for a metric at three in the morning that does not exist."""
    named = set(re.findall(r"gsr_[a-z_]+", (ROOT / document).read_text()))
    assert named <= {metric.name for metric in CATALOGUE}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_are_there(document: str) -> None:
    """Who follows a document into the code finds what it names."""
    folders = "benchmarks|consumers|deploy|docs|gsr|stream|tests"
    named = re.findall(rf"`((?:{folders})/[\w./-]+)`", (ROOT / document).read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_links_of_the_operations_manual_lead_somewhere() -> None:
    """Whoever is woken up follows a link only once."""
    page = ROOT / "docs" / "operations.md"
    links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text())
    assert links
    for document, anchor in links:
        target = page.parent / document if document else page
        assert target.is_file(), document
        assert not anchor or anchor in anchors(target), anchor


def test_every_exit_code_is_in_the_operations_manual() -> None:
    """The manual's table and the module that decides agree."""
    told = re.findall(r"^(\d+)  ", exit_codes.__doc__ or "", flags=re.MULTILINE)
    page = (ROOT / "docs" / "operations.md").read_text()
    assert told
    assert [
        code for code in told if not re.search(rf"^\| (\d+, )?{code}[ ,]", page, flags=re.MULTILINE)
    ] == []


def settings_named_in(text: str) -> list[str]:
    """Return what reads like `section.key`, or like the variable of one, and is no file's name."""
    sections = "|".join(known_settings())
    named = re.findall(rf"(?<![\w./-])((?:{sections})\.[a-z][a-z_]*)\b", text)
    variables = re.findall(rf"\bGSR_((?i:{sections})__[A-Z_]+)\b", text)
    named += [name.lower().replace("__", ".") for name in variables]
    return [name for name in named if name not in OTHER_NAMES and not name.endswith(FILE_NAMES)]


def is_setting(name: str) -> bool:
    section, _, key = name.partition(".")
    return key in known_settings()[section]


@pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, "deploy/compose.yml", "deploy/Dockerfile", "deploy/prometheus/alerts.yml"],
)
def test_settings_named_in_documents_exist(document: str) -> None:
    """An operator who is told to raise a limit finds it."""
    named = settings_named_in((ROOT / document).read_text())
    assert [name for name in named if not is_setting(name)] == []


@pytest.mark.parametrize("package", ["consumers", "stream", "gsr"])
def test_settings_named_in_messages_exist(package: str) -> None:
    """In errors, in the texts of metrics, in the help of commands."""
    unknown = [
        (path.name, name)
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in settings_named_in(node.value)
        if not is_setting(name)
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("raise `ingest.flush_bytes`, see log.md", ["ingest.flush_bytes"]),
        ("gsr train --set trainer.nice=5 clicks/events.csv", ["trainer.nice"]),
        ("GSR_LOG__URL: embedded:log; GSR_CONFIG", ["log.url"]),
        ("model.safetensors of kafka.net", []),
    ],
)
def test_settings_are_told_from_files(text: str, named: list[str]) -> None:
    """A check that finds nothing would pass everything."""
    assert settings_named_in(text) == named


def test_every_row_of_the_faults_is_held_by_a_test_that_exists() -> None:
    """Whoever reads a promise can read how it is kept."""
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## Faults at a glance")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("|") and "**" not in row][2:]
    assert len(rows) > 60
    for row in rows:
        path, _, name = row.rsplit("`", 2)[1].partition("::")
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(), row
