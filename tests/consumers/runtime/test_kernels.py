"""Kernels are compiled ahead once, by commands that know nothing of anybody's settings."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.runtime import kernels
from consumers.runtime.kernels import compile_ahead, compiled_ahead
from gsr.kernel_cache import cache_directory

PROGRAM = """
import os, sys
from pathlib import Path
said = Path({said!r})
settings = sorted(name for name in os.environ if name.startswith("GSR_"))
with said.open("a") as notes:
    print(*sys.argv[1:3], *settings, file=notes)
if sys.argv[1] == "bootstrap":
    Path("state/artifacts/snapshots").mkdir(parents=True)
print("user_id,item_id,timestamp")
print("anna,tea,1")
sys.exit(sys.argv[1] == {failing!r})
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a file of what the commands were, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GSR_KERNELS", str(tmp_path))
    monkeypatch.setenv("GSR_LOG__URL", "kafka://nobody:9092")
    cache_directory.cache_clear()
    yield tmp_path / "said"
    cache_directory.cache_clear()


def scripted(said: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "") -> None:
    program = PROGRAM.format(said=str(said), failing=failing)
    monkeypatch.setattr(
        kernels, "gsr_command", lambda *words: [sys.executable, "-c", program, *words]
    )


def test_each_step_runs_and_it_is_noted(said: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(said, monkeypatch)
    assert not compiled_ahead()
    assert compile_ahead()
    assert said.read_text().splitlines() == [
        "simulate --events GSR_KERNELS",
        "bootstrap clicks.csv GSR_KERNELS",
        "recommend anna GSR_KERNELS",
        "recommend anna GSR_KERNELS",
    ]
    assert compiled_ahead()


def test_a_step_that_fails_is_tried_again_next_time(
    said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(said, monkeypatch, failing="bootstrap")
    assert not compile_ahead()
    assert not compiled_ahead()
    assert len(said.read_text().splitlines()) == 2


def test_the_real_commands_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the kernels that are there already: lists of a model, and those before there is one."""
    monkeypatch.setattr(kernels, "_mark", lambda: tmp_path / "done")
    assert compile_ahead(silent=False)
    assert compiled_ahead()
    said = capfd.readouterr().err
    assert "model 1, counters" in said
    assert "model 0, counters" in said
