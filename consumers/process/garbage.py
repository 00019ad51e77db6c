"""How often Python looks for cycles of garbage."""

import gc
from typing import Final

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
