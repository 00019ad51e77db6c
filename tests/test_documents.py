"""What the documents name exists."""

import re
from pathlib import Path

import pytest

from consumers import exit_codes
from consumers.config.loading import known_settings
from consumers.metrics.catalogue import CATALOGUE
from tests.deploy.files import anchors

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "document",
    ["README.md", "docs/architecture.md", "docs/kafka.md", "docs/log.md", "docs/operations.md"],
)
def test_named_metrics_are_in_the_catalogue(document: str) -> None:
    """Nobody looks for a metric at three in the morning that does not exist."""
    named = set(re.findall(r"gsr_[a-z_]+", (ROOT / document).read_text()))
    assert named <= {metric.name for metric in CATALOGUE}


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


def test_settings_of_the_operations_manual_exist() -> None:
    """An operator who is told to raise a limit finds it."""
    page = (ROOT / "docs" / "operations.md").read_text()
    sections = "|".join(known_settings())
    named = re.findall(rf"`(?:--set )?({sections})\.([a-z_]+)\b", page)
    assert named
    assert [f"{s}.{k}" for s, k in named if k not in known_settings()[s]] == []


def test_every_row_of_the_faults_is_held_by_a_test_that_exists() -> None:
    """Whoever reads a promise can read how it is kept."""
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## Faults at a glance")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("|") and "**" not in row][2:]
    assert len(rows) > 60
    for row in rows:
        path, _, name = row.rsplit("`", 2)[1].partition("::")
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(), row
