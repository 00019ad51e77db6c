"""Compiled kernels are kept apart by the sources that they were made from."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gsr.compiled


@pytest.fixture
def compiled() -> Iterator[ModuleType]:
    """Give the module, which looks for its cache anew."""
    module = gsr.compiled
    module.cache_directory.cache_clear()
    yield module
    module.cache_directory.cache_clear()


def test_a_changed_source_gets_another_cache(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel must be compiled again when one that it calls, in another file, has changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "gsr" / "compiled.py"))
    caller, callee, other = (
        tmp_path / "stream" / f"{name}.py" for name in ("caller", "callee", "other")
    )
    caller.parent.mkdir()
    caller.write_text("from gsr.compiled import kernel\nfrom stream.callee import VALUE\n")
    callee.write_text("VALUE = 1\n")
    other.write_text("VALUE = 1\n")
    before = compiled.cache_directory()
    other.write_text("VALUE = 2\n")
    compiled.cache_directory.cache_clear()
    assert compiled.cache_directory() == before
    callee.write_text("VALUE = 2\n")
    compiled.cache_directory.cache_clear()
    assert compiled.cache_directory() != before


def test_the_files_of_kernels_and_of_their_constants_are_found(compiled: ModuleType) -> None:
    """What holds a kernel, what such a file imports, and nothing like the command line."""
    root = Path(compiled.__file__ or "").parents[1]
    found = {str(path.relative_to(root)) for path in compiled.kernel_sources(root)}
    assert {
        "gsr/counters/items/edge_kernel.py",
        "gsr/votes/channels.py",
        "gsr/counters/items/item_graph.py",
    } <= found
    assert "consumers/cli/application.py" not in found


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


def test_a_shipped_cache_is_taken_over(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image brings its kernels; where they are taken from stays as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "build"))
    shipped = Path(compiled.cache_directory())
    (shipped / "sub").mkdir(parents=True)
    (shipped / "sub" / "kernel.nbc").write_bytes(b"compiled")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "run"))
    monkeypatch.setenv("GSR_KERNELS", str(shipped.parent))
    compiled.cache_directory.cache_clear()
    mine = Path(compiled.cache_directory())
    assert mine.parent == tmp_path / "run" / "gsr" / "kernels"
    assert (mine / "sub" / "kernel.nbc").read_bytes() == b"compiled"
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]
    (mine / "sub" / "kernel.nbc").write_bytes(b"mine")
    compiled.cache_directory.cache_clear()
    assert (Path(compiled.cache_directory()) / "sub" / "kernel.nbc").read_bytes() == b"mine"
    assert (shipped / "sub" / "kernel.nbc").read_bytes() == b"compiled"


def test_a_read_only_home_has_a_cache_all_the_same(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba compiles nothing where it may not write."""
    (tmp_path / "home").write_text("a file: no folder can be made below it, not even by root")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = Path(compiled.cache_directory())
    assert mine.parent.parent == tmp_path
    assert mine.parent.name.startswith("gsr-kernels-")
    mine.mkdir()
