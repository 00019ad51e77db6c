"""What the documents name exists."""

import re
from pathlib import Path

import pytest

from consumers.metrics.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/log.md"])
def test_named_metrics_are_in_the_catalogue(document: str) -> None:
    """Nobody looks for a metric at three in the morning that does not exist."""
    named = set(re.findall(r"gsr_[a-z_]+", (ROOT / document).read_text()))
    assert named <= {metric.name for metric in CATALOGUE}
