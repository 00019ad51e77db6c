"""JSON documents that are there whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write JSON with sorted keys; the file is there whole or not at all."""
    aside = path.with_name(f".{path.name}.partial")
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)
