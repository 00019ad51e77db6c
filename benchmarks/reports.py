"""Results of a benchmark as JSON, what they say of several runs, and of the machine."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any


def machine() -> dict[str, Any]:
    """Return what a report says of the machine."""
    return {"python": platform.python_version(), "cores": os.cpu_count()}


def report(result: Mapping[str, Any], out: Path | None) -> None:
    """Print a result, and write it to `out` where that is given."""
    text = json.dumps(result, indent=1)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")
    print(text)


def spread(values: Sequence[float], digits: int | None = None) -> dict[str, float]:
    """Return median, least and most, rounded.

    >>> spread([3.26, 1.04, 2.0], 1)
    {'median': 2.0, 'least': 1.0, 'most': 3.3}
    """
    return {
        "median": round(median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
    }
