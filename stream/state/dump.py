"""Everything that a state directory says, byte by byte, for comparison."""

from collections.abc import Iterator
from pathlib import Path


def dump(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield (column family, key, value) in order; users who have expired are left out.

    Two states of the same records are equal here whatever flushes, evictions and restarts lay
    between. Opens it read-only: run it on a checkpoint, or on a state that nobody has open.
    """
    raise NotImplementedError
