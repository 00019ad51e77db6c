"""The files of `deploy/`, read."""

from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
PROMETHEUS: Final = DEPLOY / "prometheus"


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def alert_rules() -> list[dict[str, Any]]:
    """Return every rule of the shipped alerts."""
    groups = read_yaml(PROMETHEUS / "alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def anchors(document: Path) -> set[str]:
    """Return the anchors of a Markdown file's headings, as GitHub makes them."""
    headings = (line.lstrip("#") for line in document.read_text().splitlines() if line[:1] == "#")
    kept = ("".join(c for c in h.strip().lower() if c.isalnum() or c in " -_") for h in headings)
    return {heading.replace(" ", "-") for heading in kept}
