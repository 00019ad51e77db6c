"""Atomic writing of JSON documents."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumers.runtime.outputs import written_aside


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write JSON with sorted keys; the file is there whole or not at all."""
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    with written_aside(path) as aside:
        aside.write_text(text + "\n", encoding="utf-8")
