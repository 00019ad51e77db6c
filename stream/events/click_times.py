"""Whether a click's time is acceptable: this depends on the clicks before it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from stream.compiled import kernel
from stream.events.bad_record import Fault
from stream.events.timestamps import likely_unit

GOOD: Final = 0
FUTURE: Final = 1
TOO_OLD: Final = 2


@kernel
def judge_times(
    times: npt.NDArray[np.float64],
    append_times: npt.NDArray[np.float64],
    forget: npt.NDArray[np.bool_],
    tolerance: float,
    max_age: float,
    watermark: float,
    verdicts: npt.NDArray[np.uint8],
) -> float:
    """Judge each click's time by the clicks before it, and return the watermark after them.

    Parameters
    ----------
    times, append_times, forget
        float64, float64 and bool [n].
    tolerance, max_age
        See `EventRules`; infinity for no limit.
    watermark
        Before the first row.
    verdicts
        uint8 [n], written: 0 good, 1 in the future, 2 too old.
    """
    for row in range(len(times)):
        if forget[row]:
            continue
        if times[row] > max(append_times[row], watermark) + tolerance:
            verdicts[row] = FUTURE
        elif append_times[row] - times[row] > max_age:
            verdicts[row] = TOO_OLD
        else:
            watermark = max(watermark, times[row])
    return watermark


def time_fault(time: float, append_time: float, verdict: int) -> Fault:
    """Put a verdict of `judge_times` into words.

    Parameters
    ----------
    time, append_time
        Of the click, seconds since the epoch.
    verdict
        `FUTURE` or `TOO_OLD`.
    """
    if verdict == TOO_OLD:
        late = append_time - time
        return Fault("too_old", f"{late:.0f} s older than its arrival: see events.max_age_seconds")
    unit = likely_unit(time)
    if unit is not None:
        return Fault(
            "future", f"timestamp {time:.0f} looks like {unit}: send seconds since the epoch"
        )
    ahead = time - append_time
    return Fault("future", f"{ahead:.0f} s ahead of its arrival: correct the producer's clock")
