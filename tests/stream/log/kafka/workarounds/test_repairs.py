"""Each repair of kafka-python is one documented file, and private parts are used nowhere else."""

import re
from pathlib import Path

import pytest

from stream.log.kafka import workarounds

ROOT = Path(workarounds.__path__[0])
REPAIRS = sorted(path for path in ROOT.glob("*.py") if path.stem != "__init__")
REPOSITORY = Path(__file__).parents[5]
PRIVATE = re.compile(r"SLF001|getattr\([^,]+, \"_")


def test_every_private_part_is_touched_by_a_repair() -> None:
    """So that an upgrade of the library has one place to look at."""
    touching = {
        path
        for path in (REPOSITORY / "stream").glob("**/*.py")
        if PRIVATE.search(path.read_text(encoding="utf-8"))
    }
    assert touching
    assert touching <= set(REPAIRS)


@pytest.mark.parametrize("path", REPAIRS, ids=lambda path: path.stem)
def test_each_says_the_same_four_things(path: Path) -> None:
    """What is wrong, its issue, the probe, and when it can go; the probe is there."""
    source = path.read_text(encoding="utf-8")
    parts = re.findall(r"^(\w+): ", source.split('"""')[1], re.MULTILINE)
    assert parts == ["Wrong", "Issue", "Probe", "Until"]
    if "Probe: `fits`" in source:
        assert "\ndef fits(" in source
    else:
        assert "Probe: none is needed" in source
        assert not PRIVATE.search(source)


def test_the_manual_lists_each() -> None:
    """And nothing that is gone."""
    manual = (REPOSITORY / "docs" / "kafka.md").read_text(encoding="utf-8")
    _, table = manual.split("## Repairs of kafka-python\n")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [path.stem for path in REPAIRS]
