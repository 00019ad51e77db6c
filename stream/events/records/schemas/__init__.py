"""JSON Schemas (2020-12) of the records, for producers and consumers in any language."""

import json
from importlib.resources import files
from typing import Any, Final

NAMES: Final = ("click", "recommendation", "sequence", "item")


def schema(name: str) -> dict[str, Any]:
    """Return one of the schemas.

    Parameters
    ----------
    name
        One of `NAMES`.

    Examples
    --------
    >>> schema("click")["required"]
    ['user_id', 'item_id', 'timestamp']
    """
    text = files(__package__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
