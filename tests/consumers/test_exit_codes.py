"""Exit codes are distinct, documented, and tell the kind of trouble."""

import re
from pathlib import Path

import pytest

from consumers import errors, exit_codes
from consumers.exit_codes import exit_code
from gsr.errors import TrainingError
from stream.errors import (
    EventFileError,
    LogFullError,
    StateLockedError,
    StorageFullError,
    UnknownTopicError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.RoleFailedError("x"), 4),
        (StateLockedError("x"), 5),
        (StorageFullError("x"), 5),
        (LogFullError("x"), 5),
        (UnknownTopicError("x"), 6),
        (EventFileError("f.csv", "x"), 10),
        (TrainingError("x"), 11),
        (KeyError("a bug"), 1),
    ],
)
def test_each_kind_of_error_has_its_code(error: Exception, code: int) -> None:
    """Scripts tell a full disk from a typing mistake."""
    assert exit_code(error) == code


def test_our_errors_have_codes_of_their_own() -> None:
    """No two classes share a number."""
    kinds = errors.GsrError.__subclasses__()
    assert len({kind.exit_code for kind in kinds}) == len(kinds)


def test_the_page_and_the_module_list_the_same_codes() -> None:
    """docs/configuration.md repeats the table of the module."""
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    table = page.read_text().partition("## Exit codes")[2]
    documented = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert documented == re.findall(r"^(\d+) ", exit_codes.__doc__ or "", re.MULTILINE)
