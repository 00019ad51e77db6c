"""CPU time and peak memory of this process."""

import resource
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU time and memory that a process has used.

    Parameters
    ----------
    cpu_seconds
        Of all its threads, in user and in system mode.
    peak_memory_bytes
        The most that was resident at once.
    """

    cpu_seconds: float
    peak_memory_bytes: int


def process_usage() -> Usage:
    """Return what this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(
        cpu_seconds=usage.ru_utime + usage.ru_stime, peak_memory_bytes=usage.ru_maxrss * unit
    )
