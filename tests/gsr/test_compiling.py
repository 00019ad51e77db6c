"""Who asked hears of a compilation, and not of kernels that the cache holds."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gsr.compiling import COMPILING, compiling_heard, compiling_told, tell_compiling
from gsr.kernel_cache import cache_directory

KERNELS = """
from gsr.compiled import kernel

@kernel
def doubled(number):
    return 2 * number

@kernel
def increased(number):
    return number + 1
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a file with kernels, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    cache_directory.cache_clear()
    path = tmp_path / "some_kernels.py"
    path.write_text(KERNELS)
    yield path
    cache_directory.cache_clear()


def loaded(source: Path) -> ModuleType:
    """Return the module as a new process has it: nothing of it is compiled in memory."""
    spec = importlib.util.spec_from_file_location("some_kernels", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_compiling_is_told(source: Path) -> None:
    """With an empty cache once, however many kernels there are; with a filled one never."""
    told: list[str] = []
    with compiling_told(told.append):
        first = loaded(source)
        assert told == []
        assert (first.doubled(3), first.increased(3)) == (6, 4)
        assert told == [COMPILING]
    with compiling_told(told.append):
        again = loaded(source)
        assert (again.doubled(3), again.increased(3)) == (6, 4)
    assert told == [COMPILING]


def test_the_beginning_and_the_end_are_heard(source: Path) -> None:
    """Of each kernel, so that nobody takes compiling for hanging."""
    heard: list[str] = []
    with compiling_heard(lambda: heard.append("compiling")):
        module = loaded(source)
        module.doubled(3)
        assert len(heard) == 2
        module.increased(3)
        module.increased(4)
        assert len(heard) == 4
    loaded(source).doubled(3)
    module.doubled(3.0)
    assert len(heard) == 4


def test_the_inner_block_is_told() -> None:
    """A role's log, and not the command that runs it; without anybody nothing happens."""
    outer: list[str] = []
    inner: list[str] = []
    tell_compiling(begins=True)
    with compiling_told(outer.append):
        with compiling_told(inner.append):
            tell_compiling(begins=True)
        assert (outer, inner) == ([], [COMPILING])
        tell_compiling(begins=True)
    assert (outer, inner) == ([COMPILING], [COMPILING])
