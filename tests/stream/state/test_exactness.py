"""The state is a function of the records alone, and the right one."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsr.counters import counters
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from stream.clock import ManualClock
from stream.state.check import check
from stream.state.dump import dump
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions
from tests.stream.state.click_stories import (
    RULES,
    WEIGHTS,
    Told,
    batch_of,
    part_of,
    small_configs,
    stories,
    watermark_after,
)
from tests.stream.state.comparison import words_of_checkpoint, words_of_reference
from tests.stream.state.reference import Reference

MEMORY = Path("/dev/shm")  # noqa: S108 -- mkdtemp makes a private directory there
_SLOW = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@contextmanager
def directory() -> Iterator[Path]:
    """Make a directory for one example, in memory where it can be: it is synced a lot."""
    path = Path(tempfile.mkdtemp(prefix="gsr-state-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def open_store(path: Path, config: CounterConfig, cached_users: int = 1000) -> PartitionStore:
    options = StoreOptions(cached_users=cached_users)
    return PartitionStore.open(path, 0, config, RULES, ManualClock(), options)


def apply_part(store: PartitionStore, batch: ClickBatch, start: int, stop: int) -> None:
    store.apply(part_of(batch, start, stop), watermark_after(batch, stop), stop)


def in_one_go(path: Path, config: CounterConfig, batch: ClickBatch) -> None:
    """Apply everything as one batch with one flush."""
    store = open_store(path, config)
    apply_part(store, batch, 0, len(batch))
    store.flush()
    store.close()


def in_pieces(
    path: Path, config: CounterConfig, batch: ClickBatch, cuts: list[tuple[int, str]]
) -> None:
    """Apply in batches of drawn sizes; flush, re-open or crash between them."""
    store = open_store(path, config, cached_users=1)
    done = 0
    for size, then in cuts:
        stop = min(done + size, len(batch))
        apply_part(store, batch, done, stop)
        done = stop
        if then in {"flush", "reopen"}:
            store.flush()
        if then in {"reopen", "crash"}:
            store.close()
            store = open_store(path, config, cached_users=1)
            done = store.next_offset
    apply_part(store, batch, done, len(batch))
    store.flush()
    store.close()


CUTS = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from(["go on", "flush", "reopen", "crash"])),
    max_size=8,
)


@pytest.mark.slow
@_SLOW
@given(story=stories(), config=small_configs())
def test_equals_the_reference(story: list[Told], config: CounterConfig) -> None:
    """Kernels and packed bytes say what dictionaries and lists say, to the last bit."""
    batch = batch_of(story)
    reference = Reference(config, WEIGHTS)
    with directory() as path:
        store = open_store(path, config)
        applied = store.apply(batch, watermark_after(batch, len(batch)), len(batch))
        assert applied.outcomes.tolist() == reference.apply(batch)
        store.flush()
        store.close()
        assert words_of_checkpoint(path) == words_of_reference(reference)
        assert check(path) == []


@pytest.mark.slow
@_SLOW
@given(story=stories(), config=small_configs(), cuts=CUTS)
def test_same_bytes_for_any_cuts(
    story: list[Told], config: CounterConfig, cuts: list[tuple[int, str]]
) -> None:
    """Batch, flush, eviction, re-open and crash boundaries leave no trace in the bytes."""
    batch = batch_of(story)
    with directory() as path:
        in_one_go(path / "whole", config, batch)
        with mock.patch.object(counters, "_CLICKS_AT_ONCE", 13):
            in_pieces(path / "pieces", config, batch, cuts)
        assert list(dump(path / "pieces")) == list(dump(path / "whole"))
