"""The machine and the library versions that decide a result's numbers."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import psutil

from consumers.metrics.registry import gsr_version

LIBRARIES: Final = ("numba", "numpy", "pyarrow", "torch")
_PROCESSORS: Final = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Return the machine's part of `metrics.json`; nothing that names it."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": psutil.virtual_memory().total,
    }


def versions() -> dict[str, str]:
    """Return name to version, of ourselves, Python and what does the arithmetic."""
    found = {"gsr": gsr_version(), "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Return how many this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not every system has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = _PROCESSORS.read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
