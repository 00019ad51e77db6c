"""docs/evaluation.md tells of every column, key, slice and option there is."""

import re
from pathlib import Path

from typer.testing import CliRunner

from consumers.cli.application import app
from consumers.offline.evaluation.case_files import SCHEMA
from gsr.quality.protocols import SLICES
from tests.consumers.evaluation_world import drawn, evaluated, read, write_walks

PAGE = (Path(__file__).parents[4] / "docs" / "evaluation.md").read_text()
NAMED = set(re.findall(r"`([a-z0-9_]+)`", PAGE))


def test_every_column_and_key_is_told(tmp_path: Path) -> None:
    document = evaluated(read(write_walks(tmp_path / "clicks.csv")), drawn(0.2)).document()
    assert set(SCHEMA.names) <= NAMED
    assert set(document) <= NAMED
    assert set(document["data"]) <= NAMED
    assert set(document["cost"]) <= NAMED
    assert set(SLICES) <= NAMED


def test_options_of_compare_exist() -> None:
    section = PAGE.partition("## Is it better")[2].partition("## Files")[0]
    told = set(re.findall(r"--[a-z][a-z-]*", section))
    shown = CliRunner().invoke(app, ["compare", "--help"], prog_name="gsr").output
    assert {"--metric", "--json", "--graph-a", "--graph-b", "--part"} <= told
    assert told <= set(re.findall(r"--[a-z][a-z-]*", shown))
