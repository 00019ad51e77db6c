"""What processes left behind that died while they wrote aside."""

import time
from collections.abc import Iterator
from pathlib import Path


def abandoned(folder: Path, pattern: str, seconds: float) -> Iterator[Path]:
    """Return what nobody has written to for so long; others may be removing it too."""
    for leftover in folder.glob(pattern):
        try:
            age = time.time() - leftover.stat().st_mtime  # what the file system stamps, not events
        except FileNotFoundError:
            continue
        if age >= seconds:
            yield leftover
