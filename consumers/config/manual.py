"""Writes `consumers/config/default.toml`: every setting, its default and its meaning.

Run `python -m consumers.config.manual > consumers/config/default.toml` after changing a setting.
"""

import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consumers.config.loading import DERIVED, setting_names
from consumers.config.settings import GsrConfig

_HEADER = """\
# Every setting of gsr with its default. Copy what you change into a file of your own and name
# that file with `--config FILE` or the variable GSR_CONFIG.
#
# Stronger than the file are environment variables (for instance GSR_TRAINER__CYCLE_SECONDS=30),
# and stronger than those are flags (for instance --set trainer.cycle_seconds=30).
# Durations are numbers in the unit that the name ends with. "off" switches a limit off.
"""


def default_toml() -> str:
    """Return the text of `consumers/config/default.toml`."""
    return _HEADER + "".join(_section(*item) for item in _sections())


def _sections() -> Iterator[tuple[str, Any]]:
    config = GsrConfig()
    for name in GsrConfig.model_fields:
        yield name, getattr(config, name)


def _section(name: str, section: Any) -> str:
    summary, meanings = read_docstring(type(section))
    lines = ["", *_comment(summary), f"[{name}]"]
    shown: set[str] = set()
    for key in setting_names(type(section)):
        if f"{name}.{key}" in DERIVED:
            continue
        meaning = meanings[key]
        if meaning not in shown:
            shown.add(meaning)
            lines += ["", *_comment(meaning)]
        lines.append(f"{key} = {toml_value(getattr(section, key))}")
    return "\n".join(lines) + "\n"


def read_docstring(kind: type[Any]) -> tuple[str, dict[str, str]]:
    """Return a section's summary line, and setting -> meaning, from its numpy docstring."""
    text = inspect.cleandoc(kind.__doc__ or "")
    summary, _, parameters = text.partition("Parameters\n----------\n")
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in parameters.splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
            meanings |= dict.fromkeys(names, "")
        elif line.strip():
            for name in names:
                meanings[name] = f"{meanings[name]} {line.strip()}".strip()
    return " ".join(summary.split()), meanings


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")


def toml_value(value: object) -> str:
    """Return a value as a file of settings, or --set, has it."""
    if value is None:
        return '"off"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(part) for part in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml_value(part)}' for key, part in value.items())} }}"
    return repr(value)


if __name__ == "__main__":
    sys.stdout.write(default_toml())
