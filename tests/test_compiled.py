"""Compiled kernels are kept apart by the sources that they were made from."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gsr.compiled
import stream.compiled


@pytest.fixture(params=[gsr.compiled, stream.compiled], ids=["gsr", "stream"])
def compiled(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """Give each package's own way to compile, and let it look for its cache anew."""
    module: ModuleType = request.param
    module.cache_directory.cache_clear()
    yield module
    module.cache_directory.cache_clear()


def test_a_changed_source_gets_another_cache(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel must be compiled again when one that it calls, in another file, has changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "gsr" / "compiled.py"))
    callee = tmp_path / "stream" / "callee.py"
    callee.parent.mkdir()
    callee.write_text("VALUE = 1\n")
    before = compiled.cache_directory()
    compiled.cache_directory.cache_clear()
    assert compiled.cache_directory() == before
    callee.write_text("VALUE = 2\n")
    compiled.cache_directory.cache_clear()
    assert compiled.cache_directory() != before


def test_old_caches_leave(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches of old sources do not pile up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    caches = tmp_path / "gsr" / "kernels"
    for age in range(10):
        (caches / f"old-{age}").mkdir(parents=True)
    Path(compiled.cache_directory()).mkdir()
    assert len(list(caches.iterdir())) == compiled.KEPT_CACHES
