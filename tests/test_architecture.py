"""Documents name files, folders and programs that exist, and leave no folder out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "benchmarks/**/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)
FOLDERS = ("gsr", "stream", "consumers", "tests", "benchmarks", "deploy", "docs", "examples")
MOST_STOPS = 15


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def stops() -> list[str]:
    """Return the files that a click is followed through."""
    page = text_of("docs/architecture.md")
    section = page.partition("## One click, followed through the code\n")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, flags=re.MULTILINE)


def test_a_click_is_followed_through_few_files_each_visited_once() -> None:
    """From a topic to a list, in files that a reader can open."""
    found = stops()
    assert 8 <= len(found) <= MOST_STOPS
    assert [stop for stop in found if not (ROOT / stop).is_file()] == []
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_in_documents_exist(document: str) -> None:
    """A reader who follows one finds it; patterns match something."""
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`\s:…]*)`", text_of(document))
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/") or path))] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_in_documents_lead_somewhere(document: str) -> None:
    """To files of the repository, from where the document stands."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text_of(document))
    links = [target for target in targets if "://" not in target]
    folder = (ROOT / document).parent
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_programs_in_documents_exist(document: str) -> None:
    """`python -m NAME` runs something."""
    for name in re.findall(rf"-m ((?:{'|'.join(FOLDERS)})(?:\.\w+)*)", text_of(document)):
        module = ROOT.joinpath(*name.split("."))
        assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file(), name


def test_every_package_folder_has_a_line_in_the_map() -> None:
    """CONTRIBUTING.md says what lives in each, and in no folder that is gone."""
    page = text_of("CONTRIBUTING.md")
    section = page.partition("## Where things live\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([^`]+)/` \|", section, flags=re.MULTILINE)
    there = {
        str(path.parent.relative_to(ROOT))
        for package in ("gsr", "stream", "consumers")
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert set(named) == there | {"deploy", "benchmarks", "examples"}
    assert len(named) == len(set(named))


def test_every_stored_format_is_in_the_changelog() -> None:
    """Whoever upgrades sees what the new build reads."""
    section = text_of("CHANGELOG.md").partition("### Formats\n")[2].partition("\n### ")[0]
    told = re.findall(r"\| (?:`schema_version` )?(\d+) \|", section)
    names = ("FORMAT", "FORMAT_VERSION", "JOURNAL_FORMAT", "SEQUENCE_SCHEMA_VERSION", "VIEW_FORMAT")
    constants = re.compile(rf"^(?:{'|'.join(names)}): Final = (\d+)", flags=re.MULTILINE)
    written = [
        number
        for package in ("gsr", "stream", "consumers")
        for path in (ROOT / package).rglob("*.py")
        for number in constants.findall(path.read_text(encoding="utf-8"))
    ]
    assert sorted(told) == sorted(written)
