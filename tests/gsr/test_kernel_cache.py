"""Compiled kernels are kept apart by the sources that they were made from."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import gsr.kernel_cache


@pytest.fixture
def kernel_cache() -> Iterator[ModuleType]:
    """Give the module, which looks for its cache anew."""
    module = gsr.kernel_cache
    module.cache_directory.cache_clear()
    yield module
    module.cache_directory.cache_clear()


def test_a_changed_source_gets_another_cache(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel must be compiled again when one that it calls, in another file, has changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "gsr" / "kernel_cache.py"))
    caller, callee, other = (
        tmp_path / "stream" / f"{name}.py" for name in ("caller", "callee", "other")
    )
    caller.parent.mkdir()
    caller.write_text("from gsr.compiled import kernel\nfrom stream.callee import VALUE\n")
    callee.write_text("VALUE = 1\n")
    other.write_text("VALUE = 1\n")
    before = kernel_cache.cache_directory()
    other.write_text("VALUE = 2\n")
    kernel_cache.cache_directory.cache_clear()
    assert kernel_cache.cache_directory() == before
    callee.write_text("VALUE = 2\n")
    kernel_cache.cache_directory.cache_clear()
    assert kernel_cache.cache_directory() != before


def test_the_files_of_kernels_and_of_their_constants_are_found(kernel_cache: ModuleType) -> None:
    """What holds a kernel, what such a file imports, and nothing like the command line."""
    root = Path(kernel_cache.__file__ or "").parents[1]
    found = {str(path.relative_to(root)) for path in kernel_cache.kernel_sources(root)}
    assert {
        "gsr/counters/items/edge_kernel.py",
        "gsr/votes/channels.py",
        "gsr/counters/items/item_graph.py",
    } <= found
    assert "consumers/cli/application.py" not in found


def test_old_caches_leave(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches of old sources do not pile up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    caches = tmp_path / "gsr" / "kernels"
    for age in range(10):
        (caches / f"old-{age}").mkdir(parents=True)
        os.utime(caches / f"old-{age}", (1000 - age, 1000 - age))
    mine = Path(kernel_cache.cache_directory())
    left = {f"old-{age}" for age in range(kernel_cache.KEPT_CACHES - 1)}
    assert {cache.name for cache in caches.iterdir()} == {mine.name, *left}


def test_use_makes_a_cache_young(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What leaves is what nobody ran for longest, not what was compiled first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = Path(kernel_cache.cache_directory())
    os.utime(mine, (1000, 1000))
    kernel_cache.cache_directory.cache_clear()
    begun = time.time()
    assert kernel_cache.cache_directory() == str(mine)
    assert mine.stat().st_mtime > begun - 60


def test_a_cache_in_use_stays(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version's process goes on, however old its kernels are; the next oldest leaves."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    used = Path(kernel_cache.cache_directory())
    os.utime(used, (10, 10))
    for age in range(kernel_cache.KEPT_CACHES):
        (used.parent / f"old-{age}").mkdir()
        os.utime(used.parent / f"old-{age}", (1000 - age, 1000 - age))
    monkeypatch.setattr(kernel_cache, "kernel_sources", lambda _root: [])
    kernel_cache.cache_directory.cache_clear()
    mine = Path(kernel_cache.cache_directory())
    left = {f"old-{age}" for age in range(kernel_cache.KEPT_CACHES - 2)}
    assert {cache.name for cache in used.parent.iterdir()} == {mine.name, used.name, *left}


def test_a_shipped_cache_is_taken_over(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image brings its kernels; where they are taken from stays as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "build"))
    shipped = Path(kernel_cache.cache_directory())
    (shipped / "sub").mkdir(parents=True)
    (shipped / "sub" / "kernel.nbc").write_bytes(b"compiled")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "run"))
    monkeypatch.setenv("GSR_KERNELS", str(shipped.parent))
    kernel_cache.cache_directory.cache_clear()
    mine = Path(kernel_cache.cache_directory())
    assert mine.parent == tmp_path / "run" / "gsr" / "kernels"
    assert (mine / "sub" / "kernel.nbc").read_bytes() == b"compiled"
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]
    (mine / "sub" / "kernel.nbc").write_bytes(b"mine")
    kernel_cache.cache_directory.cache_clear()
    assert (Path(kernel_cache.cache_directory()) / "sub" / "kernel.nbc").read_bytes() == b"mine"
    assert (shipped / "sub" / "kernel.nbc").read_bytes() == b"compiled"


def test_a_read_only_home_has_a_cache_all_the_same(
    kernel_cache: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba compiles nothing where it may not write."""
    (tmp_path / "home").write_text("a file: no folder can be made below it, not even by root")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = Path(kernel_cache.cache_directory())
    assert mine.parent.parent == tmp_path
    assert mine.parent.name.startswith("gsr-kernels-")
    assert mine.is_dir()
