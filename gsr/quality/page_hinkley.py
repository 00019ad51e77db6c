"""Page's test for a fall of a hit rate, on single hits and misses."""

import math
from typing import Final

FALL_DEVIATIONS: Final = 0.05
FALL_SHARE: Final = 0.1
THRESHOLD_DEVIATIONS: Final = 100.0
HORIZON: Final = 20_000
WARM_UP: Final = 500
_LEAST_VARIANCE: Final = 1e-4


class PageHinkley:
    """Adds up by how much outcomes fall short of their long-run mean.

    The sum counts in standard deviations of one outcome, so that one threshold suits every hit
    rate: ``g = max(0, g + (mean - x - allowance) / deviation)``, and an alarm is due above
    `THRESHOLD_DEVIATIONS`. The allowance is `FALL_DEVIATIONS` deviations or `FALL_SHARE` of the
    mean, whichever is more: a fall by less than a tenth, as a day brings it, is no alarm.

    river's detector of this name is not used. It lets its sum fade but not the maximum that the
    sum is compared with, and so raises an alarm every ten or twenty thousand outcomes for as long
    as the stream lasts, on a stream that does not change at all. Measured on simulated outcomes
    (false alarms in four million stationary ones; median delay of a fall after 20,000):

    ==================  =====================  ===========  ==========  ========  ========
    detector            alarms, rate 0.1, 0.7  .10 to .07   .10 to .05  .3 to .2  .7 to .6
    ==================  =====================  ===========  ==========  ========  ========
    river, delta 0.02   77, 155                1,751        853         399       378
    this one            0, 0                   1,379        741         621       1,595
    ==================  =====================  ===========  ==========  ========  ========

    Attributes
    ----------
    mean
        Of the newest outcomes, weighted over about `HORIZON` of them.
    recent_mean
        Of the outcomes since the sum was last 0: after an alarm, of those that raised it.

    References
    ----------
    E. S. Page, Continuous inspection schemes, Biometrika 1954.

    Examples
    --------
    >>> detector = PageHinkley()
    >>> any(detector.update(index % 2 == 0) for index in range(10_000))
    False
    >>> next(index for index in range(10_000) if detector.update(index % 5 == 0)) < 500
    True
    >>> detector.mean > 0.4, detector.recent_mean < 0.3
    (True, True)
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.mean = 0.0
        self.recent_mean = 0.0
        self._outcomes = 0
        self._sum = 0.0
        self._since = 0

    def update(self, outcome: bool) -> bool:
        """Take one outcome; True where it raises an alarm, after which all begins anew."""
        if self._sum > THRESHOLD_DEVIATIONS:
            self._begin()
        if self._outcomes >= WARM_UP:
            self._add(float(outcome))
        self._outcomes += 1
        self.mean += (outcome - self.mean) / min(self._outcomes, HORIZON)
        return self._sum > THRESHOLD_DEVIATIONS

    def _add(self, outcome: float) -> None:
        deviation = math.sqrt(max(self.mean * (1.0 - self.mean), _LEAST_VARIANCE))
        allowance = max(FALL_DEVIATIONS * deviation, FALL_SHARE * self.mean)
        self._sum = max(0.0, self._sum + (self.mean - outcome - allowance) / deviation)
        if self._sum > 0.0:
            self._since += 1
            self.recent_mean += (outcome - self.recent_mean) / self._since
        else:
            self._since = 0
            self.recent_mean = self.mean
