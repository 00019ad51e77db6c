"""Units of numeric timestamps."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events.files.time_units import TIME_UNITS, guess_unit, to_seconds


@given(st.sampled_from(TIME_UNITS), st.floats(1e9, 4e9))
def test_units_are_what_they_say(unit: Any, seconds: float) -> None:
    """A time in any unit is the time again, as finely as the unit counts."""
    moment = datetime.fromtimestamp(int(seconds), UTC)
    per_unit = {
        "s": 1.0,
        "ms": 1e-3,
        "us": 1e-6,
        "ns": 1e-9,
        "minutes": 60.0,
        "hours": 3600.0,
        "days": 86_400.0,
    }
    if unit == "calendar":
        number = float(moment.strftime("%Y%m%d%H%M%S"))
    elif unit == "excel":
        number = int(seconds) / 86_400 + 25_569
    else:
        number = int(seconds) / per_unit[unit]
    assert to_seconds(np.array([number]), unit)[0] == pytest.approx(int(seconds), abs=1e-3)
    if unit in ("s", "ms", "us", "ns", "calendar"):
        assert guess_unit(np.array([number])).unit == unit
