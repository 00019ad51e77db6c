"""False alarms, and delays, of the detectors alone on hits and misses of known rates."""

from typing import Any, Final

import numpy as np

from benchmarks.drift.judging import MILLION, per_million
from gsr.quality.drift import DETECTORS, OutcomeDetector

RATES: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
FALLS: Final = ((0.3, 0.27), (0.3, 0.24), (0.3, 0.15), (0.1, 0.08), (0.1, 0.05))
BEFORE_FALL: Final = 20_000
AFTER_FALL: Final = 20_000


def steady_alarms(rate: float, seeds: int, outcomes: int = MILLION) -> dict[str, Any]:
    """Return alarms per 10^6 outcomes, all false, of independent hits at one rate.

    Parameters
    ----------
    rate
        Of hits.
    seeds
        How many streams.
    outcomes
        In each.
    """
    raised = dict.fromkeys(DETECTORS, 0)
    for seed in range(seeds):
        detector = OutcomeDetector()
        detector.update(np.random.default_rng(seed).random(outcomes) < rate)
        for name, count in detector.alarms.items():
            raised[name] += count
    total = seeds * outcomes
    found = {name: per_million(count, total) for name, count in raised.items()}
    return {"rate": rate, "outcomes": total, "false_per_million": found}


def fall_delays(before: float, after: float, streams: int) -> dict[str, Any]:
    """Return the median delay, in outcomes, of a fall from one rate to another, by detector.

    Alarms within `AFTER_FALL` outcomes of the fall count; `found` is the share of streams that had
    one, and the median is over these.
    """
    delays: dict[str, list[int]] = {name: [] for name in DETECTORS}
    for seed in range(streams):
        drawn = np.random.default_rng(seed).random(BEFORE_FALL + AFTER_FALL)
        rates = np.where(np.arange(len(drawn)) < BEFORE_FALL, before, after)
        first: dict[str, int] = {}
        for alarm in OutcomeDetector().update(drawn < rates):
            if alarm.outcome >= BEFORE_FALL:
                first.setdefault(alarm.detector, alarm.outcome - BEFORE_FALL)
        for name, delay in first.items():
            delays[name].append(delay)
    return {
        "before": before,
        "after": after,
        "streams": streams,
        "found": {name: len(found) / streams for name, found in delays.items()},
        "median_delay": {
            name: float(np.median(found)) if found else None for name, found in delays.items()
        },
    }
