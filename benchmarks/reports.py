"""Results of a benchmark as JSON, and the machine that they were measured on."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
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
