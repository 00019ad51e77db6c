"""What the operator says of an event file is checked."""

from typing import Any

import pytest

from stream.events.files.dialect import FileDialect


@pytest.mark.parametrize(
    "changes",
    [
        {"time_format": "%Y"},
        {"time_format": "%Q"},
        {"time_format": ""},
        {"time_unit": "weeks"},
        {"quoting": "some"},
        {"time_unit": "s", "time_format": "%Y-%m-%d"},
    ],
)
def test_dialects_are_checked(changes: dict[str, Any]) -> None:
    """Formats without a day, unknown words and contradictions."""
    with pytest.raises(ValueError, match=r"time format|give one"):
        FileDialect(**changes)
