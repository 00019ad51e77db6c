"""Settings of Python's garbage collector for processes that handle batches."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_USUAL: Final = gc.get_threshold()
ALLOCATIONS: Final = 100_000
GENERATIONS: Final = (20, 50)


def collect_rarely() -> None:
    """Look for cyclic garbage rarely, and never among what is there already.

    Batches are millions of short-lived tuples and strings without cycles; with Python's defaults
    a fifth of ingest's CPU time went into looking through them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, *GENERATIONS)


def collect_as_usual() -> None:
    """Undo `collect_rarely`.

    What is frozen when the interpreter ends is never taken apart. Compiled libraries that look for
    their own objects then print them as leaks.
    """
    gc.unfreeze()
    gc.set_threshold(*_USUAL)


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in the block: imports make next to none, and many objects to look at."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
