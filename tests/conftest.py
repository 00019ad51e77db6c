"""What every test may use: real click logs and outside programs, present or accounted for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CLICK_LOGS = Path(__file__).resolve().parents[2] / "shared" / "data"


def missing(what: str) -> None:
    """Fail in CI, where everything must be there; skip with the reason elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: CI must have it")
    pytest.skip(what)


@pytest.fixture
def click_log() -> Callable[[str], Path]:
    """Return a finder of real click logs, by name."""

    def find(name: str) -> Path:
        path = CLICK_LOGS / name / "events.csv.gz"
        if not path.is_file():
            missing(f"no click log {name} beside the checkout")
        return path

    return find


@pytest.fixture
def program() -> Callable[[str], str]:
    """Return a finder of outside programs, by name."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(f"{name} is not installed")
            raise AssertionError
        return path

    return find
